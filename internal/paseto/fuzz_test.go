package paseto_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/token"
)

// The seeds in testdata/fuzz are whole tokens, genuine and spoilt.
func FuzzOpen(f *testing.F) {
	h := newHolder(f)
	f.Add(foreign)
	f.Add("v4.local..." + h.Label())
	f.Fuzz(func(t *testing.T, tok string) {
		l, ok := paseto.Label(tok)
		if ok && !strings.HasSuffix(tok, "."+l) {
			t.Errorf("%q is no part of %q", l, tok)
		}
		if id, ok := paseto.LabelID(l); ok && b64.EncodeToString([]byte(`{"kid":"`+id+`"}`)) != l {
			t.Errorf("%q is not the id in %q", id, l)
		}
		_, err := h.Open(tok, session)
		if (err == nil) != (tok == foreign) || err != nil && !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%q: %v", tok, err)
		}
	})
}

// What is inside the envelope comes from a holder of the sealing secret, which
// every verify-only node is.
func FuzzOpenInner(f *testing.F) {
	h := newHolder(f)
	genuine := h.signed(payload, session)
	for _, seed := range []string{genuine, genuine + ".e30", "", "v4.public.", payload} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, inner string) {
		_, err := h.Open(h.envelope(inner, session), session)
		if (err == nil) != (inner == genuine) || err != nil && !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%q: %v", inner, err)
		}
	})
}

func FuzzPayload(f *testing.F) {
	h := newHolder(f)
	for _, seed := range []string{payload, "{}", `{"iss":null}`, strings.Replace(payload, "{", `{"nbf":"",`, 1),
		strings.Replace(payload, "16:30", "16:60", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		c, err := h.Open(h.envelope(h.signed(payload, session), session), session)
		if err != nil {
			if !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%q: %v", payload, err)
			}
			return
		}
		tok, err := h.Seal(c)
		if err != nil {
			t.Fatalf("can't seal what was opened from %q: %v", payload, err)
		}
		if len(tok) > token.MaxSize {
			return // escapes took less room than the characters
		}
		again, err := h.Open(tok, session)
		again.Raw, c.Raw = "", "" // white space in it is not kept
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%q does not survive a round: %v", payload, err)
		}
	})
}
