package chimw_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/latest"
	"github.com/carnet-go/carnet/token"
)

// A countingStore counts what it is asked, and can be away.
type countingStore struct {
	latest.Store
	calls int
	down  error
}

func (s *countingStore) Advance(ctx context.Context, session string, revision int64, until time.Time) (bool, error) {
	if s.calls++; s.down != nil {
		return false, s.down
	}
	return s.Store.Advance(ctx, session, revision, until)
}

func TestRequireLatest(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	store := &countingStore{Store: new(latest.Memory)}
	routes := map[string]http.Handler{
		"Sessions": n.RequireLatest(store)(hello),
		"Guard":    n.Guard.RequireLatest(store)(hello),
		"inside":   n.Load(n.RequireLatest(store)(hello)),
	}
	get := func(route, tok string) int {
		return send(routes[route], "GET", withCookie(tok)).StatusCode
	}
	buy := func(tok string) string { return set(t, send(n.buy("pen"), "POST", withCookie(tok)).Header) }
	for route := range routes {
		t.Run(route, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, _ := n.issue(t)
				second := buy(first)
				third := buy(second)
				other, _ := n.issue(t)
				n.reasons, store.calls = nil, 0
				for i, tt := range []struct {
					tok  string
					want int
				}{
					{first, http.StatusOK},
					{second, http.StatusOK},
					{first, http.StatusUnauthorized},
					{third, http.StatusOK},
					{third, http.StatusOK},
					{second, http.StatusUnauthorized},
					{other, http.StatusOK},
				} {
					if got := get(route, tt.tok); got != tt.want {
						t.Errorf("step %d: %d, want %d", i, got, tt.want)
					}
				}
				if store.calls != 7 {
					t.Errorf("the store was asked %d times in 7 requests", store.calls)
				}
				if len(n.reasons) != 2 || reasonOf(n.reasons[0]) != "not latest" || !errors.Is(n.reasons[0], token.ErrInvalid) {
					t.Errorf("reported %v", n.reasons)
				}
				if resp := send(n.Require(hello), "GET", withCookie(first)); resp.StatusCode != http.StatusOK {
					t.Errorf("another route: %d", resp.StatusCode)
				}
				// A renewal neither makes an old cookie new nor hands the old data out.
				time.Sleep(20 * time.Minute)
				resp := send(routes[route], "GET", withCookie(second))
				if resp.StatusCode != http.StatusUnauthorized || len(resp.Header["Set-Cookie"]) > 0 {
					t.Errorf("an old cookie that is due: %d, %v", resp.StatusCode, resp.Header)
				}
				renewed := set(t, send(n.Require(hello), "GET", withCookie(second)).Header)
				if got := get(route, renewed); got != http.StatusUnauthorized {
					t.Errorf("an old cookie that was renewed elsewhere: %d", got)
				}
				if resp := send(routes[route], "GET", withCookie(third)); resp.StatusCode != http.StatusOK || (len(ours(resp.Header)) > 0) != (route != "Guard") {
					t.Errorf("the latest: %d, %v", resp.StatusCode, resp.Header)
				}
				store.calls = 0
				store.down = errDown
				defer func() { store.down = nil }()
				if resp := send(routes[route], "GET", withCookie(third)); resp.StatusCode != http.StatusServiceUnavailable || len(resp.Header["Set-Cookie"]) > 0 {
					t.Errorf("the store is away: %d, %v", resp.StatusCode, resp.Header)
				}
				if resp := send(routes[route], "GET", withCookie("garbage")); resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("garbage: %d", resp.StatusCode)
				}
				if send(n.Require(hello), "GET", withCookie(third)); store.calls != 1 {
					t.Errorf("the store was asked %d times, also by a route without", store.calls)
				}
			})
		})
	}
}

func TestRevisionCountsChangesOfTheData(t *testing.T) {
	n := newNode(t, chimw.Config{})
	synctest.Test(t, func(t *testing.T) {
		tok, s := n.issue(t)
		step := func(h http.Handler, want int64) {
			t.Helper()
			resp := send(h, "POST", withCookie(tok))
			if len(ours(resp.Header)) > 0 {
				tok = set(t, resp.Header)
			}
			got, err := n.issuer.Verifier().Verify(tok)
			if err != nil || got.Revision != want {
				t.Errorf("revision %d, want %d, %v", got.Revision, want, err)
			}
		}
		if s.Revision != 0 {
			t.Errorf("it begins with revision %d", s.Revision)
		}
		step(n.buy("pen"), 1)
		step(do(func(w http.ResponseWriter, r *http.Request) error { return n.Update(w, r, func(*user) {}) }), 1)
		time.Sleep(20 * time.Minute)
		step(n.Require(hello), 1)
		step(n.Require(n.buy("ink")), 2)
		step(do(func(w http.ResponseWriter, r *http.Request) error { return n.Reauthenticate(w, r, nil) }), 2)
		step(do(func(w http.ResponseWriter, r *http.Request) error { return n.Elevate(w, r, promote) }), 3)
	})
}
