package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func TestScanFindsAKeyInEachForm(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range [][]byte{private, private.Seed()} {
		for name, text := range map[string]string{
			"hex":        hex.EncodeToString(key),
			"base64":     base64.StdEncoding.EncodeToString(key),
			"base64url":  base64.RawURLEncoding.EncodeToString(key),
			"%v":         fmt.Sprintf("%v", key),
			"%#v":        fmt.Sprintf("%#v", key),
			"in a quote": fmt.Sprintf("%q", base64.StdEncoding.EncodeToString(key)),
			"PASERK":     "k4.secret." + base64.RawURLEncoding.EncodeToString(private),
			"in JSON":    fmt.Sprintf(`{"sign":%q}`, base64.StdEncoding.EncodeToString(key)),
		} {
			found, err := scan(strings.NewReader("fine\nerror: " + text + " is bad\nfine\n"))
			if err != nil || len(found) != 1 || !strings.HasPrefix(found[0], "line 2:") || strings.Contains(found[0], text) {
				t.Errorf("%d bytes as %s: %v %v", len(key), name, found, err)
			}
		}
	}
}

func TestScanLetsTheRestPass(t *testing.T) {
	for _, line := range []string{
		"ok  	github.com/carnet-go/carnet/keys	12.742s",
		"key k4.lid.V7OdgjVaVpckWZTv8r2V0sgTmFdsfQNVI6ffsgJmK3QQ is active",
		"        1           2026-11-25T09:32:28Z  root@vm  init    y4IA2ohQ08A UUPLAIZTBbM              _Cd4iKsw3SSExnS5vhsUQXUTH1YyYcyYzGZwGMekrAs",
		"next: carnet audit ring.json --noted nTUm5NcI98hDs_cW9zdsQp-QZlPB538oJ9jdQ2azUT8 finds out",
		"--- PASS: FuzzOpenInner/header-carriage-return-inside (0.00s)",
		"  \"edits\": [\n    \"ObElJ5JzQgSLvqK6tw3kD2AtJT8ktSsWlcMAg_uqoeg\",\n    \"y0iImIabI4m8NBRgDU3Y4vp3dkTxjpoOXz8Js2gzMOo\"\n  ]",
		"        verify-only:vPTzhZ0W65O5h/KaZh2GGnOv5WqM2k1s2mhvKfyWZL/Bw6ZJldgoqjys6uxlgv2m0BnUJsPLi0i0jWdKRnDTfw==",
		`"public": "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrA",`,
	} {
		if found, err := scan(strings.NewReader(line)); err != nil || len(found) > 0 {
			t.Errorf("%s: %v %v", line, found, err)
		}
	}
}
