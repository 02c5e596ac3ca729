package token_test

import (
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// Data can't put a claim into the token, whoever has written it into Raw.
func TestRawIsOneValue(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		_, s := issue(t, token.NewIssuer[user](ring, web), user{Name: "Alice"})
		for _, raw := range []string{
			s.Raw + `,"sub":"mallory"`, s.Raw + `}{"x":1`, s.Raw + "1", `{"a":1,"a":2}`, `{`, ``, "\"\xff\"", s.Raw[:len(s.Raw)-1],
		} {
			c := s.Claims
			c.Raw = raw
			if _, err := ring.Seal(c); err == nil {
				t.Errorf("%q was sealed", raw)
			}
		}
		c := s.Claims
		c.Raw = " " + s.Raw + "\n"
		got, err := ring.Open(seal(t, ring, c), c.Binding)
		if err != nil || got.Raw != s.Raw {
			t.Errorf("with white space: %q, %v", got.Raw, err)
		}
	})
}
