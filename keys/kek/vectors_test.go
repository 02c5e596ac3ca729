package kek

import (
	"bytes"
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
)

type hexText []byte

func (h *hexText) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

type wycheproof struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []struct {
		Tests []struct {
			ID     int     `json:"tcId"`
			Key    hexText `json:"key"`
			IV     hexText `json:"iv"`
			AAD    hexText `json:"aad"`
			Msg    hexText `json:"msg"`
			CT     hexText `json:"ct"`
			Tag    hexText `json:"tag"`
			IKM    hexText `json:"ikm"`
			Salt   hexText `json:"salt"`
			Info   string  `json:"info"`
			Size   int     `json:"size"`
			OKM    hexText `json:"okm"`
			Result string  `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

func vectors(t *testing.T, file string) (set wycheproof) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// The vectors extract first; ours begin with the second half, as the root has 256
// random bits.
func TestWycheproofHKDF(t *testing.T) {
	set, n := vectors(t, "testdata/wycheproof/hkdf_sha256_test.json"), 0
	for _, g := range set.TestGroups {
		for _, v := range g.Tests {
			n++
			info, err := hex.DecodeString(v.Info)
			if err != nil {
				t.Fatal(err)
			}
			var okm []byte
			fips140.WithoutEnforcement(func() { // some keys are shorter than any of ours
				prk, err2 := hkdf.Extract(sha256.New, v.IKM, v.Salt)
				if err = err2; err == nil {
					okm, err = hkdf.Expand(sha256.New, prk, string(info), v.Size)
				}
			})
			if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(okm, v.OKM) {
				t.Errorf("test %d is %s, but gives %x, %v", v.ID, v.Result, okm, err)
			}
		}
	}
	if n != set.NumberOfTests || n == 0 {
		t.Errorf("ran %d of %d", n, set.NumberOfTests)
	}
}

func TestWycheproofXChaCha20Poly1305(t *testing.T) {
	set, n := vectors(t, "../../internal/paseto/testdata/wycheproof/xchacha20_poly1305_test.json"), 0
	e := Envelope{Cipher: xchacha}
	for _, g := range set.TestGroups {
		for _, v := range g.Tests {
			n++
			aead, err := e.aead(v.Key)
			if fips140.Enforced() {
				if err == nil {
					t.Fatal("there is such a cipher in a process bound to FIPS 140")
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(v.IV) != aead.NonceSize() {
				if v.Result == "valid" {
					t.Errorf("test %d has a nonce of %d bytes", v.ID, len(v.IV))
				}
				continue
			}
			msg, err := aead.Open(nil, v.IV, append(v.CT, v.Tag...), v.AAD)
			if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(msg, v.Msg) {
				t.Errorf("test %d is %s, but opens to %x, %v", v.ID, v.Result, msg, err)
			}
		}
	}
	if n != set.NumberOfTests || n == 0 {
		t.Errorf("ran %d of %d", n, set.NumberOfTests)
	}
}
