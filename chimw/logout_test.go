package chimw_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// call has a method of a guard answer a request, behind a middleware.
func call(m func(http.Handler) http.Handler, method func(http.ResponseWriter, *http.Request) error, r *http.Request) (h http.Header, err error) {
	w := httptest.NewRecorder()
	m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = method(w, r) })).ServeHTTP(w, r)
	return w.Header(), err
}

func bare(h http.Handler) http.Handler { return h }

// A node that can't mint can log out, for all nodes.
func TestLogoutOnAGuard(t *testing.T) {
	n := newNode(t, chimw.Config{})
	other := chimw.NewGuard(n.issuer.Verifier(), chimw.Config{Revocation: n.list})
	for name, m := range map[string]func(http.Handler) http.Handler{"bare": bare, "Require": other.Require, "Load": other.Load} {
		tok, _ := n.issue(t)
		h, err := call(m, other.Logout, newRequest("POST", withCookie(tok)))
		if err != nil || !isCleared(h) {
			t.Errorf("%s: %v, %v", name, err, h)
		}
		for _, g := range []*chimw.Guard[user]{n.Guard, other} {
			if resp := send(g.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: the session is good: %d", name, resp.StatusCode)
			}
		}
	}
}

func TestLogoutThatFailsTellsNoLie(t *testing.T) {
	n := newNode(t, chimw.Config{})
	for name, method := range map[string]func(http.ResponseWriter, *http.Request) error{
		"Logout": n.Logout, "LogoutEverywhere": n.LogoutEverywhere,
	} {
		for where, m := range map[string]func(http.Handler) http.Handler{"bare": bare, "Require": n.Require} {
			tok, _ := n.issue(t)
			h, err := call(m, func(w http.ResponseWriter, r *http.Request) error {
				n.list.down = errDown
				defer func() { n.list.down = nil }()
				err := method(w, r)
				if _, ok := chimw.FromContext[user](r.Context()); ok != (where == "Require") {
					t.Errorf("%s, %s: a session in the context is %v", name, where, ok)
				}
				return err
			}, newRequest("POST", withCookie(tok)))
			if !errors.Is(err, errDown) || errors.Is(err, token.ErrInvalid) || len(h["Set-Cookie"]) > 0 {
				t.Errorf("%s, %s: %v, %v", name, where, err, h)
			}
			if h, err := call(m, method, newRequest("POST", withCookie(tok))); err != nil || !isCleared(h) {
				t.Errorf("%s, %s, tried again: %v, %v", name, where, err, h)
			}
		}
	}
	away := chimw.NewGuard(token.NewVerifier[user](awayRing{}, web), chimw.Config{})
	if h, err := call(bare, away.Logout, newRequest("POST", withCookie("a token"))); !errors.Is(err, errDown) || len(h) > 0 {
		t.Errorf("without a ring: %v, %v", err, h)
	}
}

func TestLogoutWithoutASession(t *testing.T) {
	n := newNode(t, chimw.Config{})
	genuine := []error{revocation.ErrRevoked, token.ErrExpired, token.ErrNotYet, token.ErrData}
	for name, tt := range refusals(t, n) {
		for where, m := range map[string]func(http.Handler) http.Handler{"bare": bare, "Load": n.Load} {
			t.Run(name+" "+where, func(t *testing.T) {
				n.list.checks, n.list.revokes, n.reasons = 0, 0, nil
				h, err := call(m, n.Logout, newRequest("POST", tt.header))
				if tt.reason == chimw.ErrTwoTokens {
					if !errors.Is(err, chimw.ErrTwoTokens) || len(h["Set-Cookie"]) > 0 {
						t.Errorf("%v, %v", err, h)
					}
					return
				}
				if err != nil || !isCleared(h) {
					t.Errorf("%v, %v", err, h)
				}
				for _, reason := range n.reasons {
					if !errors.Is(reason, tt.reason) {
						t.Errorf("reported %v", reason)
					}
				}
				// The session of a genuine token is known, and may go on with another one.
				known := slices.Contains(genuine, tt.reason)
				told := tt.reason == chimw.ErrNoToken || known && where == "bare"
				if (len(n.reasons) == 0) != told {
					t.Errorf("reported %v", n.reasons)
				}
				if known != (n.list.revokes == 1) {
					t.Errorf("%d calls to take back", n.list.revokes)
				}
			})
		}
	}
}

// Whoever comes back after the idle time and logs out ends the session for a thief who
// has kept it alive, and for a response that renews it.
func TestLogoutOfAnIdleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, chimw.Config{})
		config := n.issuer.Verifier().Config()
		tok, s := n.issue(t)
		time.Sleep(config.Lifetime - time.Minute)
		kept, _, err := n.issuer.Renew(s)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if _, err := n.issuer.Verifier().Verify(tok); !errors.Is(err, token.ErrExpired) {
			t.Fatalf("the old token: %v", err)
		}
		if h, err := call(bare, n.Logout, newRequest("POST", withCookie(tok))); err != nil || !isCleared(h) {
			t.Errorf("%v, %v", err, h)
		}
		if got := status(n, kept); got != http.StatusUnauthorized {
			t.Errorf("the copy that was renewed: %d", got)
		}
		time.Sleep(config.MaxAge)
		n.list.revokes = 0
		if _, err := call(bare, n.Logout, newRequest("POST", withCookie(kept))); err != nil || n.list.revokes > 0 {
			t.Errorf("after the end of the session: %v, %d marks", err, n.list.revokes)
		}
	})
}

// The browser sends no cookie with a foreign form, but would take one's end.
func TestNobodyElseLogsOut(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	for name, h := range map[string]http.Header{
		"with the cookie":    header("Sec-Fetch-Site: cross-site", "Cookie: "+cookieName+"="+tok),
		"without the cookie": header("Sec-Fetch-Site: cross-site"),
		"an older browser":   header("Origin: https://evil.example"),
	} {
		for _, method := range []func(http.ResponseWriter, *http.Request) error{n.Logout, n.LogoutEverywhere} {
			for where, m := range map[string]func(http.Handler) http.Handler{"bare": bare, "Load": n.Load} {
				reached := false
				got, err := call(m, func(w http.ResponseWriter, r *http.Request) error {
					reached = true
					return method(w, r)
				}, newRequest("POST", h))
				if reached && !errors.Is(err, chimw.ErrCrossOrigin) || len(got["Set-Cookie"]) > 0 {
					t.Errorf("%s, %s: %v, %v", name, where, err, got)
				}
			}
		}
	}
	if resp := send(n.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusOK {
		t.Errorf("logged out: %d", resp.StatusCode)
	}
}

func TestLogoutOfABearer(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	for where, m := range map[string]func(http.Handler) http.Handler{"bare": bare, "Require": n.Require} {
		tok, _ := n.issue(t)
		bearer := header("Authorization: Bearer "+tok, "Sec-Fetch-Site: cross-site")
		h, err := call(m, n.Logout, newRequest("POST", bearer))
		if err != nil || len(h["Set-Cookie"]) > 0 {
			t.Errorf("%s: %v, %v", where, err, h)
		}
		if resp := send(n.Require(hello), "GET", bearer); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", where, resp.StatusCode)
		}
	}
}

func TestLogoutEverywhere(t *testing.T) {
	n := newNode(t, chimw.Config{})
	ended, _ := n.issue(t)
	if _, err := call(bare, n.Logout, newRequest("POST", withCookie(ended))); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		issue := func(subject string) string {
			tok, _, err := n.issuer.Issue(subject, user{})
			if err != nil {
				t.Fatal(err)
			}
			return tok
		}
		phone, bob := issue("alice"), issue("bob")
		time.Sleep(time.Microsecond)
		here := issue("alice") // in the same moment: only its own mark can cover it
		h, err := call(n.Require, n.LogoutEverywhere, newRequest("POST", withCookie(here)))
		if err != nil || !isCleared(h) {
			t.Fatalf("%v, %v", err, h)
		}
		later := issue("alice")
		for name, tt := range map[string]struct {
			tok  string
			want int
		}{
			"this one": {here, 401}, "another one": {phone, 401}, "a later one": {later, 200}, "somebody else's": {bob, 200},
		} {
			if resp := send(n.Require(hello), "GET", withCookie(tt.tok)); resp.StatusCode != tt.want {
				t.Errorf("%s: %d, want %d", name, resp.StatusCode, tt.want)
			}
		}
		// The mark outlives each session that it covers, and its leeway.
		time.Sleep(12*time.Hour + time.Minute)
		if err := n.list.Check(t.Context(), token.Claims{Subject: "alice"}); !errors.Is(err, revocation.ErrRevoked) {
			t.Errorf("half a day later: %v", err)
		}
	})
}

func TestLogoutEverywhereNeedsAGoodSession(t *testing.T) {
	n := newNode(t, chimw.Config{})
	for name, tt := range refusals(t, n) {
		n.list.revokes = 0
		h, err := call(bare, n.LogoutEverywhere, newRequest("POST", tt.header))
		if !errors.Is(err, tt.reason) || len(h) > 0 || n.list.revokes > 0 {
			t.Errorf("%s: %v, %v, %d marks", name, err, h, n.list.revokes)
		}
	}
}

// Whoever closes the window right after the click is logged out.
func TestLogoutOutlivesTheRequest(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := call(bare, n.Logout, newRequest("POST", withCookie(tok)).WithContext(late)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	if _, err := call(bare, n.Logout, newRequest("POST", withCookie(tok)).WithContext(gone)); err != nil {
		t.Errorf("client gone: %v", err)
	}
	if resp := send(n.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the session is good: %d", resp.StatusCode)
	}
}

// slowList never answers by itself.
type slowList struct{ revocation.List }

func (slowList) Revoke(ctx context.Context, _ ...revocation.Mark) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestLogoutDoesNotWaitForEver(t *testing.T) {
	n := newNode(t, chimw.Config{})
	g := chimw.NewGuard(n.issuer.Verifier(), chimw.Config{Revocation: slowList{n.list}})
	synctest.Test(t, func(t *testing.T) {
		tok, _ := n.issue(t)
		start := time.Now()
		h, err := call(bare, g.Logout, newRequest("POST", withCookie(tok)))
		if took := time.Since(start); err == nil || took != 10*time.Second || len(h) > 0 {
			t.Errorf("%v after %v, %v", err, took, h)
		}
	})
}
