package paseto_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carnet-go/carnet/token"
)

func TestOpenReturnsWhatWasSealed(t *testing.T) {
	h := newHolder(t)
	for name, change := range map[string]func(c *token.Claims){
		"as issued":           func(c *token.Claims) {},
		"a refresh token":     func(c *token.Claims) { c.Purpose = token.PurposeRefresh },
		"a challenge":         func(c *token.Claims) { c.Purpose = token.PurposeChallenge },
		"names with accents":  func(c *token.Claims) { c.Issuer, c.Subject = "éxample", "åsa" },
		"names to be escaped": func(c *token.Claims) { c.Issuer, c.Subject = `a"b\c`, "<script>\u2028" },
		"null":                func(c *token.Claims) { c.Raw = `null` },
		"a long number":       func(c *token.Claims) { c.Raw = `12345678901234567890.1250` },
		"escapes in the data": func(c *token.Claims) { c.Raw = `{"a":"\u003c\/\u00e9"}` },
		"the deepest data":    func(c *token.Claims) { c.Raw = nested(15) },
		"the first second":    func(c *token.Claims) { c.IssuedAt = time.Unix(1, 0).UTC() },
		"the last second":     func(c *token.Claims) { c.EndsAt = time.Unix(253402300799, 0).UTC() },
		"no microseconds":     func(c *token.Claims) { c.StartedAt = c.IssuedAt },
		"the largest":         func(c *token.Claims) { c.Raw = `"` + strings.Repeat("x", 3900) + `"` },
	} {
		t.Run(name, func(t *testing.T) {
			c := claims()
			change(&c)
			tok := seal(t, h, c)
			got, err := h.Open(tok, c.Binding)
			if err != nil {
				t.Fatal(err)
			}
			c.KeyID = h.ID()
			if !reflect.DeepEqual(got, c) {
				t.Errorf("sealed and opened claims differ: %s, %s", c.Raw, got.Raw)
			}
		})
	}
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// Times of any zone and precision are written in the one form.
func TestTimesAreBroughtIntoForm(t *testing.T) {
	h, c, want := newHolder(t), claims(), claims()
	zone := time.FixedZone("", 3600)
	c.StartedAt = c.StartedAt.Add(999 * time.Nanosecond).In(zone)
	c.IssuedAt = c.IssuedAt.Add(time.Second - 1).In(zone)
	got, err := h.Open(seal(t, h, c), session)
	if err != nil || got.StartedAt != want.StartedAt || got.IssuedAt != want.IssuedAt {
		t.Errorf("got %v, %v, %v", got.StartedAt, got.IssuedAt, err)
	}
}

// The bytes are a promise.
func TestTheDocumentedBytes(t *testing.T) {
	h := newHolder(t)
	t.Run("another library's token opens", func(t *testing.T) {
		c, err := h.Open(foreign, session)
		want := claims()
		want.KeyID = h.ID()
		if err != nil || !reflect.DeepEqual(c, want) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Seal writes the same", func(t *testing.T) {
		content := h.content(seal(t, h, claims()))
		if want := `{"token":"` + h.signed(payload, session) + `"}`; content != want {
			t.Errorf("the outer payload is\n%s, want\n%s", content, want)
		}
	})
	t.Run("footer", func(t *testing.T) {
		if want := b64.EncodeToString([]byte(`{"kid":"` + h.ID() + `"}`)); h.Label() != want {
			t.Errorf("%s, want %s", h.Label(), want)
		}
		if want := "k4.lid.FwseyaL7MfbqWM_bKYJjUzG2ijL9pvB53sAZ1NgMTSF-"; h.ID() != want {
			t.Errorf("the id is %s, want %s", h.ID(), want)
		}
	})
}

func TestNoTwoTokensAreAlike(t *testing.T) {
	h := newHolder(t)
	seen := map[string]bool{}
	for range 100 {
		nonce := seal(t, h, claims())[9 : 9+42]
		if seen[nonce] {
			t.Fatal("a nonce came twice")
		}
		seen[nonce] = true
	}
}

func TestBinding(t *testing.T) {
	h := newHolder(t)
	tok := seal(t, h, claims())
	for _, b := range []token.Binding{
		{},
		{Purpose: token.PurposeRefresh, Issuer: "example.com", Audience: "web"},
		{Purpose: "Session", Issuer: "example.com", Audience: "web"},
		{Purpose: token.PurposeSession, Issuer: "example.org", Audience: "web"},
		{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "api"},
		{Purpose: token.PurposeSession, Issuer: "example.com"},
		{Purpose: token.PurposeSession, Issuer: "web", Audience: "example.com"},
		{Purpose: token.PurposeSession, Issuer: "example.comweb", Audience: ""},
		{Purpose: token.PurposeSession, Issuer: "example.co", Audience: "mweb"},
		{Purpose: "sessionexample.com", Issuer: "", Audience: "web"},
	} {
		if c, err := h.Open(tok, b); err != token.ErrInvalid || c.ID != "" {
			t.Errorf("%v: got %v", b, err)
		}
	}
}

func TestTokensOfOtherKeysAreRefused(t *testing.T) {
	h := newHolder(t)
	other := h
	other.secret = []byte("another secret, also of 32 bytes")
	other = other.rebuild(t)
	otherSigner := h
	otherSigner.priv = ed25519.NewKeyFromSeed(make([]byte, 32))
	otherSigner = otherSigner.rebuild(t)
	relabelled := seal(t, other, claims())
	relabelled = relabelled[:len(relabelled)-len(h.Label())] + h.Label()
	for name, tok := range map[string]string{
		"another key":         seal(t, other, claims()),
		"and with our footer": relabelled,
		"another signer":      seal(t, otherSigner, claims()),
	} {
		if _, err := h.Open(tok, session); err != token.ErrInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOpenAndSealInParallel(t *testing.T) {
	h := newHolder(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := claims()
			c.Subject = strings.Repeat(fmt.Sprint(i), 50*i+1)
			c.Audience = fmt.Sprint("audience ", i)
			for range 20 {
				tok, err := h.Seal(c)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := h.Open(tok, c.Binding); err != nil || got.Subject != c.Subject {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// The claims are the caller's: the next token does not write over them.
func TestRawIsAnOwnCopy(t *testing.T) {
	h := newHolder(t)
	c := claims()
	first, err := h.Open(seal(t, h, c), session)
	if err != nil {
		t.Fatal(err)
	}
	c.Raw = `{"Name":"Mallo"}`
	for range 10 {
		if _, err := h.Open(seal(t, h, c), session); err != nil {
			t.Fatal(err)
		}
	}
	if string(first.Raw) != `{"Name":"Alice"}` || first.Subject != "alice" {
		t.Errorf("it became %s", first.Raw)
	}
}

func TestSealRefusesWhatItCannotSay(t *testing.T) {
	h := newHolder(t)
	for name, change := range map[string]func(c *token.Claims){
		"no binding":         func(c *token.Claims) { c.Binding = token.Binding{} },
		"another purpose":    func(c *token.Claims) { c.Purpose = "admin" },
		"no issuer":          func(c *token.Claims) { c.Issuer = "" },
		"no audience":        func(c *token.Claims) { c.Audience = "" },
		"no subject":         func(c *token.Claims) { c.Subject = "" },
		"no id":              func(c *token.Claims) { c.ID = "" },
		"no session id":      func(c *token.Claims) { c.SessionID = "" },
		"no time":            func(c *token.Claims) { c.ExpiresAt = time.Time{} },
		"before 1970":        func(c *token.Claims) { c.StartedAt = time.Unix(0, 0) },
		"after 9999":         func(c *token.Claims) { c.EndsAt = time.Unix(253402300800, 0) },
		"broken UTF-8":       func(c *token.Claims) { c.Subject = "ali\xffce" },
		"no data":            func(c *token.Claims) { c.Raw = "" },
		"data that is none":  func(c *token.Claims) { c.Raw = `{"Name":` },
		"two values":         func(c *token.Claims) { c.Raw = `1,"sub":"root"` },
		"a name twice":       func(c *token.Claims) { c.Raw = `{"a":1,"a":2}` },
		"data in bad UTF-8":  func(c *token.Claims) { c.Raw = "\"\xff\"" },
		"data nested deeply": func(c *token.Claims) { c.Raw = nested(16) },
	} {
		t.Run(name, func(t *testing.T) {
			c := claims()
			change(&c)
			tok, err := h.Seal(c)
			if err == nil || tok != "" {
				t.Fatalf("sealed in %d bytes", len(tok))
			}
			if errors.Is(err, token.ErrInvalid) || strings.Contains(err.Error(), "ali") || strings.Contains(err.Error(), "root") {
				t.Errorf("the error says %v", err)
			}
		})
	}
}
