package chimw_test

import (
	"errors"
	"maps"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

func TestRenewal(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	for _, tt := range []struct {
		name  string
		after time.Duration
		want  bool
	}{
		{"at once", 0, false},
		{"before 3/8 of its life", 30*time.Minute*3/8 - 1, false},
		{"past half of it", 15*time.Minute + 1, true},
		{"in the end", 30*time.Minute - 1, true},
		{"within the leeway", 30*time.Minute + 59*time.Second, true},
	} {
		for mode, m := range map[string]func(http.Handler) http.Handler{"Require": n.Require, "Load": n.Load} {
			t.Run(tt.name+" "+mode, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					tok, before := n.issue(t)
					time.Sleep(tt.after)
					var seen *token.Session[user]
					resp := send(m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						seen, _ = chimw.FromContext[user](r.Context())
						if (len(ours(w.Header())) == 1) != tt.want {
							t.Error("not decided before the handler runs")
						}
					})), "GET", withCookie(tok))
					if !tt.want {
						if seen.ID != before.ID || len(ours(resp.Header)) > 0 {
							t.Errorf("renewed: %v", ours(resp.Header))
						}
						return
					}
					s, err := n.issuer.Verifier().Verify(set(t, resp.Header))
					if err != nil {
						t.Fatal(err)
					}
					if s.SessionID != before.SessionID || s.ID == before.ID || s.ID != seen.ID || s.Data().Name != "Alice" {
						t.Error("it is another session, or the old token")
					}
					if want := time.Now().Truncate(time.Second).Add(30 * time.Minute); !s.ExpiresAt.Equal(want) {
						t.Errorf("it expires at %v, want %v", s.ExpiresAt, want)
					}
				})
			})
		}
	}
}

// A tab that polls for ever is logged out at the end all the same.
func TestRenewalNeverReachesPastTheEnd(t *testing.T) {
	n := newNode(t, chimw.Config{})
	synctest.Test(t, func(t *testing.T) {
		tok, first := n.issue(t)
		renewals := 0
		for time.Now().Before(first.EndsAt.Add(time.Minute)) {
			resp := send(n.Require(hello), "GET", withCookie(tok))
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("%v after the login: %d", time.Since(first.StartedAt), resp.StatusCode)
			}
			if len(ours(resp.Header)) > 0 {
				renewals++
				tok = set(t, resp.Header)
				if s, err := n.issuer.Verifier().Verify(tok); err != nil || s.ExpiresAt.After(first.EndsAt) {
					t.Fatalf("%v, or it expires past the end", err)
				}
			}
			time.Sleep(time.Minute)
		}
		if resp := send(n.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("past the end: %d", resp.StatusCode)
		}
		// Every 12 to 16 minutes in 12 hours, and none that would gain nothing.
		if renewals < 44 || renewals > 60 {
			t.Errorf("%d renewals", renewals)
		}
		if len(n.reasons) != 1 {
			t.Errorf("reported %v", n.reasons)
		}
	})
}

// Its clock may be wrong, so the node still takes the token; there is nothing
// that a renewal could gain.
func TestASessionThatHasEndedIsNotRenewed(t *testing.T) {
	n := newNode(t, chimw.Config{})
	synctest.Test(t, func(t *testing.T) {
		c := claims(time.Now())
		c.EndsAt = c.ExpiresAt.Add(10 * time.Second)
		tok := seal(t, n.ring, c)
		time.Sleep(time.Until(c.EndsAt))
		resp := send(n.Require(hello), "GET", withCookie(tok))
		if resp.StatusCode != http.StatusOK || len(resp.Header["Set-Cookie"]) > 0 || len(n.reasons) > 0 {
			t.Errorf("got %d %v, reported %v", resp.StatusCode, resp.Header, n.reasons)
		}
	})
}

func TestNoRenewal(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(n *node, s *token.Session[user])
		header func(tok string) http.Header
		use    func(n *node) func(http.Handler) http.Handler
		want   int
	}{
		"of a revoked session": {
			func(n *node, s *token.Session[user]) { n.list.Revoke(t.Context(), revocation.Session(s.Claims)) },
			withCookie, func(n *node) func(http.Handler) http.Handler { return n.Require }, http.StatusUnauthorized},
		"of a revoked session by Load": {
			func(n *node, s *token.Session[user]) { n.list.Revoke(t.Context(), revocation.Session(s.Claims)) },
			withCookie, func(n *node) func(http.Handler) http.Handler { return n.Load }, http.StatusOK},
		"when nobody could tell": {
			func(n *node, s *token.Session[user]) { n.list.down = errDown },
			withCookie, func(n *node) func(http.Handler) http.Handler { return n.Require }, http.StatusServiceUnavailable},
		"of a bearer token": {
			func(*node, *token.Session[user]) {},
			func(tok string) http.Header { return header("Authorization: Bearer " + tok) },
			func(n *node) func(http.Handler) http.Handler { return n.Require }, http.StatusOK},
		"by a guard": {
			func(*node, *token.Session[user]) {},
			withCookie, func(n *node) func(http.Handler) http.Handler { return n.Guard.Require }, http.StatusOK},
		"for another site": {
			func(*node, *token.Session[user]) {},
			func(tok string) http.Header {
				return header("Cookie: "+cookieName+"="+tok, "Sec-Fetch-Site: cross-site")
			},
			func(n *node) func(http.Handler) http.Handler { return n.Load }, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, chimw.Config{Bearer: true})
			synctest.Test(t, func(t *testing.T) {
				tok, s := n.issue(t)
				time.Sleep(20 * time.Minute)
				tt.before(n, s)
				resp := send(tt.use(n)(hello), "POST", tt.header(tok))
				if resp.StatusCode != tt.want || len(resp.Header["Set-Cookie"]) > 0 {
					t.Errorf("got %d %v", resp.StatusCode, resp.Header)
				}
			})
		})
	}
}

// A ring that reads and does not mint any more.
type brokenRing struct{ token.Sealer }

func TestARenewalThatFailsLeavesTheTokenGood(t *testing.T) {
	n := newNode(t, chimw.Config{})
	var reasons []error
	broken := chimw.New(token.NewIssuer[user](brokenRing{n.ring}, web), chimw.Config{
		Report: func(r *http.Request, err error) { reasons = append(reasons, err) },
	})
	synctest.Test(t, func(t *testing.T) {
		tok, _ := n.issue(t)
		time.Sleep(20 * time.Minute)
		resp := send(broken.Require(hello), "GET", withCookie(tok))
		if got := body(t, resp); got != "hello, Alice map[]" || len(resp.Header["Set-Cookie"]) > 0 {
			t.Errorf("got %q %v", got, resp.Header)
		}
		if len(reasons) != 1 || !errors.Is(reasons[0], errDown) {
			t.Errorf("reported %v", reasons)
		}
	})
}

// One response sets one cookie of ours, whatever happened, and keeps others.
func TestRenewalAndUpdatesSetOneCookie(t *testing.T) {
	n := newNode(t, chimw.Config{})
	synctest.Test(t, func(t *testing.T) {
		tok, _ := n.issue(t)
		time.Sleep(20 * time.Minute)
		resp := send(n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Set-Cookie", "theme=dark")
			n.buy("pen").ServeHTTP(w, r)
			n.buy("ink").ServeHTTP(w, r)
			n.buy("pen").ServeHTTP(w, r)
			w.Header().Add("Set-Cookie", "__Host-session-theme=dark")
			s, _ := chimw.FromContext[user](r.Context())
			if want := map[string]int{"pen": 2, "ink": 1}; !maps.Equal(s.Data().Cart, want) {
				t.Errorf("in the context: %v", s.Data().Cart)
			}
		})), "POST", withCookie(tok))
		if got := resp.Header["Set-Cookie"]; len(got) != 3 {
			t.Errorf("%d cookies are set: %q", len(got), got)
		}
		if got := body(t, send(n.Require(hello), "GET", withCookie(set(t, resp.Header)))); got != "hello, Alice map[ink:1 pen:2]" {
			t.Errorf("in the next request: %q", got)
		}
	})
}
