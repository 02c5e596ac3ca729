package token_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/token"
)

// A memo remembers the claims that it sealed last.
type memo struct{ token.Claims }

func (m *memo) Open(string, token.Binding) (token.Claims, error) { return m.Claims, nil }

func (m *memo) Seal(c token.Claims) (string, error) {
	m.Claims = c
	return "a token", nil
}

// FuzzData renews sessions with any data. Without a change it stays to the byte;
// with one, all members but the changed one do.
func FuzzData(f *testing.F) {
	for _, seed := range []string{newer, `null`, `{}`, `{"name":"a","list":[{"x":1,"y":2},{"x":3}]}`, `{"list":[1,2,3]}`,
		`{"list":[{"x":1.50},{"x":1.5}]}`, `{"list":null,"name":null}`, `[]`, `{"a":{"a":{"a":1e1000}}}`} {
		f.Add([]byte(seed), "Bob")
	}
	type data struct {
		Name string           `json:"name"`
		List []map[string]int `json:"list,omitempty"`
	}
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		m := &memo{claims(time.Now())}
		m.Raw = string(raw)
		issuer := token.NewIssuer[data](m, web)
		s, err := issuer.Verifier().Verify("a token")
		if err != nil || len(raw) > 1000 {
			return
		}
		if _, next, err := issuer.Renew(s); err != nil || next.Raw != string(raw) {
			t.Fatalf("%q became %q, %v", raw, m.Raw, err)
		}
		changed := s.Data()
		changed.Name = name
		s.SetData(changed)
		if _, _, err := issuer.Renew(s); err != nil {
			return // a name that is no UTF-8, or too long
		}
		again, err := issuer.Verifier().Verify("a token")
		if err != nil || again.Data().Name != name {
			t.Fatalf("%q renewed to %q: %v", raw, m.Raw, err)
		}
		var before, after map[string]jsontext.Value
		if json.Unmarshal(raw, &before) != nil || json.Unmarshal([]byte(m.Raw), &after) != nil {
			return
		}
		for member, value := range before {
			now := after[member]
			value.Compact() // white space is no value
			now.Compact()
			if member != "name" && !bytes.Equal(now, value) {
				t.Fatalf("%q: %q became %q", raw, value, now)
			}
		}
	})
}
