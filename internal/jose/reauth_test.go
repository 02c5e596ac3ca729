package jose_test

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/token"
)

// content takes the signed token out of its envelope.
func (h holder) content(t *testing.T, tok string) string {
	t.Helper()
	parts := strings.Split(tok, ".")
	var sealed []byte
	for _, p := range parts[2:] {
		b, err := b64.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, b...)
	}
	block, _ := aes.NewCipher(h.secret)
	aead, _ := cipher.NewGCMWithRandomNonce(block)
	inner, err := aead.Open(nil, nil, sealed, []byte(parts[0]))
	if err != nil {
		t.Fatal(err)
	}
	return string(inner)
}

const reauthPayload = `{"iss":"example.com","aud":"web","sub":"alice","sid":"ssssssssssssssssssssss","jti":"iiiiiiiiiiiiiiiiiiiiii",` +
	`"auth_us":1764000000123456,"iat":1764000000,"exp":1764001800,"end":1764043200,"reauth":1764000000,"data":{"Name":"Alice"}}`

// A token of a user who has not authenticated again has no byte more than before.
func TestSealWritesReauthOnlyIfThereWasOne(t *testing.T) {
	h, c := newHolder(t), claims()
	for want, at := range map[string]time.Time{payload: {}, reauthPayload: c.IssuedAt.Add(999 * time.Millisecond)} {
		c.AuthenticatedAt = at
		tok, err := h.Seal(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.content(t, tok); got != h.signed(header, want) {
			t.Errorf("the inner token is\n%s, want\n%s", got, h.signed(header, want))
		}
		got, err := h.Open(tok, session)
		if err != nil || !got.AuthenticatedAt.Equal(at.Truncate(time.Second)) {
			t.Errorf("%v, opened as %v", err, got.AuthenticatedAt)
		}
	}
}

func TestSealWritesTheRevisionOnlyIfThereIsOne(t *testing.T) {
	h, c := newHolder(t), claims()
	c.Revision = 12
	tok, err := h.Seal(c)
	if err != nil {
		t.Fatal(err)
	}
	if want := h.signed(header, strings.Replace(payload, `,"data"`, `,"rev":12,"data"`, 1)); h.content(t, tok) != want {
		t.Errorf("the inner token is\n%s, want\n%s", h.content(t, tok), want)
	}
	if got, err := h.Open(tok, session); err != nil || got.Revision != 12 {
		t.Errorf("%v, opened as %d", err, got.Revision)
	}
	for _, value := range []string{"0", "-1", `"1"`, "null", "1.5"} {
		body := strings.Replace(payload, `,"data"`, `,"rev":`+value+`,"data"`, 1)
		if _, err := h.Open(h.envelope(h.signed(header, body)), session); !errors.Is(err, token.ErrClaims) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestReauthHasOneForm(t *testing.T) {
	h := newHolder(t)
	for value, want := range map[string]error{
		"1764000000": nil, "1": nil, "253402300799": nil,
		"0": token.ErrClaims, "-1": token.ErrClaims, "253402300800": token.ErrClaims, "1e400": token.ErrClaims,
		"1764000000.5": token.ErrClaims, "null": token.ErrClaims, `"1764000000"`: token.ErrClaims, "true": token.ErrClaims,
		"[1764000000]": token.ErrClaims, `1,"reauth":1`: token.ErrMalformed,
	} {
		body := strings.Replace(reauthPayload, `"reauth":1764000000`, `"reauth":`+value, 1)
		if _, err := h.Open(h.envelope(h.signed(header, body)), session); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", value, err, want)
		}
	}
}
