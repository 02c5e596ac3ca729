package chimw_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/token"
)

// A copyList is a list of which this node has a copy, and which is cut off.
type copyList struct {
	*revocation.Memory
	since time.Time // when it was complete
}

func (l *copyList) Look(c token.Claims) (time.Duration, error) {
	return time.Since(l.since), l.Memory.Check(context.Background(), c)
}

func (l *copyList) Check(ctx context.Context, c token.Claims) error {
	return freshness.NewChecker(l, nil).Check(ctx, c)
}

func newCutOff(t *testing.T) (*node, *copyList) {
	l := &copyList{new(revocation.Memory), time.Now()}
	return newNode(t, chimw.Config{Revocation: l}), l
}

// Each route answers by its own policy, whatever the age of the copy: never with
// a 401, and without a word about the cookie.
func TestEachRouteHasItsPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := newCutOff(t)
		audited := 0
		routes := map[string]http.Handler{
			"default": n.Require(hello),
			"careful": n.With(freshness.NewChecker(l, freshness.Closed(5*time.Second))).Require(hello),
			"load":    n.With(freshness.NewChecker(l, freshness.Closed(5*time.Second))).Load(hello),
			"guard":   n.Guard.With(freshness.NewChecker(l, freshness.Closed(5*time.Second))).Require(hello),
			"open":    n.With(freshness.NewChecker(l, freshness.Open(0, func(token.Claims, time.Duration) { audited++ }))).Require(hello),
			"recent":  n.With(freshness.NewChecker(l, freshness.Recent(time.Minute))).Require(hello),
			"old":     n.With(freshness.NewChecker(l, freshness.Established(time.Minute))).Require(hello),
		}
		before, _ := n.issue(t)
		time.Sleep(time.Second)
		l.since = time.Now()
		time.Sleep(50 * time.Second)
		during, _ := n.issue(t)
		gone, s := n.issue(t)
		if err := l.Revoke(t.Context(), revocation.Session(s.Claims)); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			age  time.Duration
			pass map[string]string // route: which sessions
		}{
			{55 * time.Second, map[string]string{"default": "before during", "open": "before during", "recent": "before during", "old": "before during"}},
			{70 * time.Second, map[string]string{"open": "before during", "recent": "during", "old": "before"}},
			{10 * time.Minute, map[string]string{"open": "before during", "old": "before"}},
		} {
			time.Sleep(step.age - time.Since(l.since))
			for route, h := range routes {
				got := ""
				for name, tok := range map[string]string{"before": before, "during": during} {
					resp := send(h, "GET", withCookie(tok))
					switch {
					case len(ours(resp.Header)) > 0:
						t.Errorf("%s after %v: the cookie is touched", route, step.age)
					case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
					case resp.StatusCode == http.StatusOK && name == "before":
						got = "before " + got
					case resp.StatusCode == http.StatusOK:
						got += "during "
					default:
						t.Errorf("%s after %v: got %d", route, step.age, resp.StatusCode)
					}
				}
				if want := step.pass[route]; got != want && got != want+" " {
					t.Errorf("%s after %v: %q pass, want %q", route, step.age, got, want)
				}
				if route == "load" {
					continue
				}
				if resp := send(h, "GET", withCookie(gone)); resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s after %v: a session that this node revoked gets %d", route, step.age, resp.StatusCode)
				}
			}
		}
		if audited != 4 {
			t.Errorf("%d audits, want 4", audited)
		}
	})
}

// An inner route can be stricter than what stands around it.
func TestWithInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := newCutOff(t)
		careful := n.With(freshness.NewChecker(l, freshness.Closed(5*time.Second)))
		tok, s := n.issue(t)
		time.Sleep(10 * time.Second)
		for name, h := range map[string]http.Handler{
			"Require in Require": n.Require(careful.Require(hello)),
			"Require in Load":    n.Load(careful.Require(hello)),
			"Load in Require":    n.Require(careful.Load(hello)),
			"the other way":      careful.Require(n.Require(hello)),
		} {
			if resp := send(h, "GET", withCookie(tok)); resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s: got %d", name, resp.StatusCode)
			}
		}
		// What turns out to be revoked in between is no session any more.
		between := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := l.Revoke(r.Context(), revocation.Session(s.Claims)); err != nil {
					t.Error(err)
				}
				next.ServeHTTP(w, r)
			})
		}
		asked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, ok := chimw.FromContext[user](r.Context()); ok {
				t.Error("a session that was revoked is in the context")
			}
		})
		if resp := send(n.Require(between(careful.Load(asked))), "GET", withCookie(tok)); resp.StatusCode != http.StatusOK {
			t.Errorf("got %d", resp.StatusCode)
		}
	})
}

// What a handler does with the Sessions that it knows counts for the route's.
func TestWithSharesTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := newCutOff(t)
		open := n.With(freshness.NewChecker(l, freshness.Open(0, func(token.Claims, time.Duration) {})))
		tok, _ := n.issue(t)
		time.Sleep(10 * time.Minute)
		h := open.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := n.Update(w, r, func(u *user) { u.Name = "Alicia" }); err != nil {
				t.Error(err)
			}
			if s, ok := chimw.FromContext[user](r.Context()); !ok || s.Data().Name != "Alicia" {
				t.Error("the update does not show")
			}
			if err := n.Logout(w, r); err != nil {
				t.Error(err)
			}
			if _, ok := chimw.FromContext[user](r.Context()); ok {
				t.Error("the logout does not show")
			}
		}))
		send(h, "POST", withCookie(tok))
		if resp := send(open.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("after the logout: %d", resp.StatusCode)
		}
	})
}

func TestLogoutEverywhereByTheRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := newCutOff(t)
		open := n.With(freshness.NewChecker(l, freshness.Open(0, func(token.Claims, time.Duration) {})))
		tok, _ := n.issue(t)
		time.Sleep(10 * time.Minute)
		var err error
		leave := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = n.LogoutEverywhere(w, r) })
		send(leave, "POST", withCookie(tok))
		if stale := new(freshness.StaleError); !errors.As(err, &stale) || errors.Is(err, token.ErrInvalid) {
			t.Errorf("without a route: %v", err)
		}
		if send(open.Require(leave), "POST", withCookie(tok)); err != nil {
			t.Errorf("on an open route: %v", err)
		}
	})
}

func TestWithNeedsAChecker(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("nil was taken")
		}
	}()
	newNode(t, chimw.Config{}).With(nil)
}
