package jose

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

const written = `{"iss":"example.com","aud":"web","sub":"alice","sid":"ssssssssssssssssssssss","jti":"iiiiiiiiiiiiiiiiiiiiii",` +
	`"auth_us":1764000000123456,"iat":1764000000,"exp":1764001800,"end":1764043200,"data":{"Name":"Alice"}}`

// variants are payloads near to what appendClaims writes.
func variants() []string {
	all := []string{written}
	for _, change := range [][2]string{
		{`"alice"`, `"ali\u0063e"`}, {`"alice"`, `"åsa"`}, {`"alice"`, `""`}, {`"alice"`, `null`},
		{`{"Name":"Alice"}`, `null`}, {`{"Name":"Alice"}`, `[1,2]`}, {`{"Name":"Alice"}`, ` {"Name":"Alice"} `},
		{`{"Name":"Alice"}`, `{"Name":"Alice","Name":"Bob"}`}, {`{"Name":"Alice"}`, `1,"sub":"root"`},
		{`{"Name":"Alice"}`, `1,"nbf":1`}, {`{"Name":"Alice"}`, `{"a":1}}`}, {`{"Name":"Alice"}`, ``},
		{`{"Name":"Alice"}`, `"\ud800"`}, {`{"Name":"Alice"}`, "\"\xff\""}, {`{"Name":"Alice"}`, `01`},
		{`1764001800`, `01764001800`}, {`1764001800`, `0`}, {`1764001800`, `-1`}, {`1764001800`, `1.5`},
		{`1764001800`, `9223372036854775807`}, {`1764001800`, `999999999999999999`}, {`1764001800`, `1e9`},
		{`,"data"`, `,"reauth":1764000001,"data"`}, {`,"data"`, `,"rev":3,"data"`}, {`,"data"`, `,"ovf":"x","data"`}, {`"iat"`, `"x":1,"iat"`}, {`,"exp"`, ` ,"exp"`},
	} {
		all = append(all, strings.Replace(written, change[0], change[1], 1))
	}
	return append(all, "", "{}", written[:len(written)-1], written+" ", " "+written, written+"}")
}

// What scan takes, the strict decoder takes, too, and reads the same in it.
func agree(t *testing.T, payload string) (scanned bool) {
	t.Helper()
	var fast, strict claims
	raw, ok := fast.scan([]byte(payload))
	if !ok {
		return false
	}
	if err := json.Unmarshal([]byte(payload), &strict); err != nil {
		t.Fatalf("%q: scan takes what the decoder refuses: %v", payload, err)
	}
	if raw != string(strict.Data) || string(fast.Data) != raw {
		t.Fatalf("%q: other data", payload)
	}
	if fast.NotBefore != nil || strict.NotBefore != nil || fast.Reauth != nil || strict.Reauth != nil ||
		fast.Revision != nil || strict.Revision != nil || fast.Overflow != nil || strict.Overflow != nil {
		t.Fatalf("%q: a member that scan doesn't know", payload)
	}
	if fast.Issuer != strict.Issuer || fast.Audience != strict.Audience || fast.Subject != strict.Subject ||
		fast.SessionID != strict.SessionID || fast.ID != strict.ID || fast.StartedAt != strict.StartedAt ||
		fast.IssuedAt != strict.IssuedAt || fast.ExpiresAt != strict.ExpiresAt || fast.EndsAt != strict.EndsAt {
		t.Fatalf("%q: other claims", payload)
	}
	return true
}

func TestScanAgreesWithTheStrictDecoder(t *testing.T) {
	if !agree(t, written) {
		t.Error("what appendClaims writes is not scanned")
	}
	for _, payload := range variants() {
		agree(t, payload)
	}
}

// Each byte of a payload replaced by each of some others.
func TestScanAgreesOnAlteredPayloads(t *testing.T) {
	for i := range written {
		for _, c := range []byte("\"\\{}[],: 09-.eE\x00\x1f\x7f\x80ax\n") {
			b := []byte(written)
			b[i] = c
			agree(t, string(b))
		}
		agree(t, written[:i]+written[i+1:])
	}
}

func FuzzScan(f *testing.F) {
	for _, payload := range variants() {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload string) { agree(t, payload) })
}
