package chimw_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// refusals are requests without a believable session, and why.
func refusals(t *testing.T, n *node) map[string]struct {
	header http.Header
	reason error
} {
	good, _ := n.issue(t)
	revoked, rs := n.issue(t)
	if err := n.list.Revoke(t.Context(), revocation.Session(rs.Claims)); err != nil {
		t.Fatal(err)
	}
	sealed := func(change func(c *token.Claims)) http.Header {
		c := claims(time.Now())
		change(&c)
		return withCookie(seal(t, n.ring, c))
	}
	i := strings.LastIndex(good, ".") + 5
	tampered := good[:i] + string('A'+(good[i]-'A'+1)%26) + good[i+1:]
	return map[string]struct {
		header http.Header
		reason error
	}{
		"no header":           {header(), chimw.ErrNoToken},
		"another cookie":      {header("Cookie: session=" + good), chimw.ErrNoToken},
		"the name in capital": {header("Cookie: __HOST-SESSION=" + good), chimw.ErrNoToken},
		"a longer name":       {header("Cookie: x" + cookieName + "=" + good), chimw.ErrNoToken},
		"a bearer token":      {header("Authorization: Bearer " + good), chimw.ErrNoToken},
		"empty":               {withCookie(""), token.ErrMalformed},
		"no equals sign":      {header("Cookie: " + cookieName), token.ErrMalformed},
		"garbage":             {withCookie("garbage"), token.ErrInvalid},
		"quoted":              {withCookie(`"` + good + `"`), token.ErrMalformed},
		"half quoted":         {withCookie(`"` + good), token.ErrMalformed},
		"large":               {withCookie(strings.Repeat("a", token.MaxSize+1)), token.ErrTooLarge},
		"two":                 {withCookie(good + "; " + cookieName + "=" + good), chimw.ErrTwoTokens},
		"two headers":         {header("Cookie: "+cookieName+"="+good, "Cookie: "+cookieName+"="), chimw.ErrTwoTokens},
		"tampered":            {withCookie(tampered), token.ErrInvalid},
		"of another ring":     {withCookie(seal(t, newRing(t), claims(time.Now()))), keys.ErrUnknownKey},
		"revoked":             {withCookie(revoked), revocation.ErrRevoked},
		"expired":             {withCookie(seal(t, n.ring, claims(time.Now().Add(-time.Hour)))), token.ErrExpired},
		"of tomorrow":         {withCookie(seal(t, n.ring, claims(time.Now().AddDate(0, 0, 1)))), token.ErrNotYet},
		"of another audience": {sealed(func(c *token.Claims) { c.Audience = "api" }), token.ErrInvalid},
		"a refresh token":     {sealed(func(c *token.Claims) { c.Purpose = token.PurposeRefresh }), token.ErrInvalid},
		"data of a new type":  {sealed(func(c *token.Claims) { c.Raw = `{"Name":[]}` }), token.ErrData},
	}
}

func TestRequireRefuses(t *testing.T) {
	n := newNode(t, chimw.Config{})
	const want = "Unauthorized\n"
	for name, tt := range refusals(t, n) {
		t.Run(name, func(t *testing.T) {
			n.reasons, n.list.checks = nil, 0
			for _, require := range []func(http.Handler) http.Handler{n.Require, n.Guard.Require} {
				resp := send(require(hello), "GET", tt.header)
				if got := body(t, resp); resp.StatusCode != http.StatusUnauthorized || got != want {
					t.Errorf("got %d %q", resp.StatusCode, got)
				}
				if fmt.Sprint(resp.Header) != "map[Cache-Control:[no-store] Content-Type:[text/plain; charset=utf-8] Vary:[Cookie] X-Content-Type-Options:[nosniff]]" {
					t.Errorf("headers: %v", resp.Header)
				}
			}
			if len(n.reasons) != 2 || !errors.Is(n.reasons[0], tt.reason) || !errors.Is(n.reasons[1], token.ErrInvalid) {
				t.Errorf("reported %v, want %v", n.reasons, tt.reason)
			}
			if genuine := tt.reason == revocation.ErrRevoked; (n.list.checks > 0) != genuine {
				t.Errorf("the list was asked %d times", n.list.checks)
			}
		})
	}
}

func TestLoadTakesThemForStrangers(t *testing.T) {
	n := newNode(t, chimw.Config{})
	for name, tt := range refusals(t, n) {
		t.Run(name, func(t *testing.T) {
			n.reasons = nil
			resp := send(n.Load(hello), "GET", tt.header)
			if got := body(t, resp); resp.StatusCode != http.StatusOK || got != "hello, stranger" || len(ours(resp.Header)) > 0 {
				t.Errorf("got %d %q %v", resp.StatusCode, got, resp.Header)
			}
			if tt.reason == chimw.ErrNoToken {
				if len(n.reasons) > 0 {
					t.Errorf("reported %v", n.reasons)
				}
			} else if len(n.reasons) != 1 || !errors.Is(n.reasons[0], tt.reason) {
				t.Errorf("reported %v, want %v", n.reasons, tt.reason)
			}
		})
	}
}

func TestAnOutageIsNoLogout(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	n.list.down = errDown
	away := chimw.NewGuard(token.NewVerifier[user](awayRing{}, web), chimw.Config{})
	for name, m := range map[string]func(http.Handler) http.Handler{
		"list, Require": n.Require, "list, Load": n.Load, "ring, Require": away.Require, "ring, Load": away.Load,
	} {
		t.Run(name, func(t *testing.T) {
			n.reasons = nil
			resp := send(m(hello), "GET", withCookie(tok))
			if got := body(t, resp); resp.StatusCode != http.StatusServiceUnavailable || got != "Service Unavailable\n" {
				t.Errorf("got %d %q", resp.StatusCode, got)
			}
			if resp.Header.Get("Retry-After") != "3" || resp.Header.Get("Cache-Control") != "no-store" || len(resp.Header["Set-Cookie"]) > 0 {
				t.Errorf("headers: %v", resp.Header)
			}
		})
	}
	n.reasons, n.list.checks = nil, 0
	if resp := send(n.Load(hello), "GET", header()); resp.StatusCode != http.StatusOK {
		t.Errorf("a stranger gets %d", resp.StatusCode)
	}
	if resp := send(n.Require(hello), "GET", header()); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", resp.StatusCode)
	}
	if n.list.checks > 0 {
		t.Error("the list was asked about a stranger")
	}
	send(n.Require(hello), "GET", withCookie(tok))
	if !errors.Is(n.reasons[len(n.reasons)-1], errDown) {
		t.Errorf("reported %v", n.reasons)
	}
}

// awayRing can't tell.
type awayRing struct{}

func (awayRing) Open(string, token.Binding) (token.Claims, error) { return token.Claims{}, errDown }

func TestReasonsHaveNoSecrets(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	var secrets []string
	for _, tt := range refusals(t, n) {
		for _, l := range tt.header["Cookie"] {
			if _, tok, _ := strings.Cut(l, "="); len(tok) >= 16 {
				secrets = append(secrets, tok[:16], tok[len(tok)-16:])
			}
		}
		send(n.Require(hello), "GET", tt.header)
		send(do(n.LogoutEverywhere), "POST", tt.header)
	}
	secrets = append(secrets, "alice", "Alice", strings.Repeat("s", 22), strings.Repeat("i", 22))
	if len(n.reasons) < 20 {
		t.Fatalf("only %d reasons", len(n.reasons))
	}
	for _, err := range n.reasons {
		for _, s := range secrets {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), s) {
				t.Errorf("%v has %q in it", err, s)
			}
		}
	}
}
