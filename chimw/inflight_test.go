package chimw_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// inFlight are requests whose response sets a cookie.
func inFlight(n *node) map[string]http.Handler {
	return map[string]http.Handler{
		"renewal": n.Require(hello),
		"update":  n.Require(n.buy("pen")),
		"elevation": n.Require(do(func(w http.ResponseWriter, r *http.Request) error {
			return n.Elevate(w, r, promote)
		})),
		"elevation without a middleware": do(func(w http.ResponseWriter, r *http.Request) error {
			return n.Reauthenticate(w, r, promote)
		}),
		"two elevations": n.Require(do(func(w http.ResponseWriter, r *http.Request) error {
			if err := n.Elevate(w, r, promote); err != nil {
				return err
			}
			return n.Update(w, r, func(u *user) { u.Name = "Root" })
		})),
	}
}

// A logout takes the session back on one node while another node is busy with a
// request that sets the cookie anew. Whichever response the browser gets last, the
// user is logged out on both. The logout sets out when the request has come to one
// of its steps, and then both run on.
func TestAResponseInFlightLogsNobodyIn(t *testing.T) {
	const runs = 1000
	list := revocation.NewMemory()
	hook := &hookList{List: list}
	here := newNode(t, chimw.Config{Revocation: hook})
	there := chimw.NewGuard(here.issuer.Verifier(), chimw.Config{Revocation: list})
	logouts := map[string]http.Handler{
		"logout":             do(there.Logout),
		"logout behind Load": there.Load(do(there.Logout)),
		"logout of all":      do(there.LogoutEverywhere), // refused once the session was replaced
	}
	answers := inFlight(here)
	ran, sent := 0, 0
	for ran < runs {
		for name, answer := range answers {
			for how, logout := range logouts {
				ran++
				tok := seal(t, here.ring, fresh(time.Now().Add(-20*time.Minute)))
				var response, bye *http.Response
				var wg sync.WaitGroup
				started := make(chan struct{})
				start := sync.OnceFunc(func() { close(started) })
				left := ran % 6
				hook.step = func() {
					if left--; left <= 0 {
						start()
					}
				}
				wg.Go(func() {
					response = send(answer, "POST", withCookie(tok))
					start() // at the latest
				})
				wg.Go(func() { <-started; bye = send(logout, "POST", withCookie(tok)) })
				wg.Wait()
				hook.step = func() {}
				if !isCleared(bye.Header) {
					if how != "logout of all" || bye.StatusCode != http.StatusTeapot {
						t.Fatalf("%s, %s: %d", name, how, bye.StatusCode)
					}
					continue
				}
				for _, line := range ours(response.Header) {
					next, _, _ := strings.Cut(strings.TrimPrefix(line, cookieName+"="), ";")
					sent++
					refused(t, name+", "+how, next, here.Guard, there)
				}
			}
		}
	}
	t.Logf("%d runs, %d responses set a cookie that logged nobody in", ran, sent)
	if sent == 0 {
		t.Error("no response was in flight")
	}
}

func refused(t *testing.T, doing, tok string, guards ...*chimw.Guard[user]) {
	t.Helper()
	for i, g := range guards {
		if got := send(g.Require(hello), "GET", withCookie(tok)).StatusCode; got != http.StatusUnauthorized {
			t.Fatalf("%s: node %d answers %d", doing, i, got)
		}
	}
}

// fresh are the claims of a session of its own, of somebody of his own.
func fresh(at time.Time) token.Claims {
	c := claims(at)
	c.SessionID, c.Subject = rand.Text(), rand.Text() // a logout everywhere is for this one
	return c
}

// A hookList calls a function before and after each step of a list.
type hookList struct {
	revocation.List
	step func()
}

func (l *hookList) Check(ctx context.Context, c token.Claims) error {
	l.step()
	err := l.List.Check(ctx, c)
	l.step()
	return err
}

func (l *hookList) Revoke(ctx context.Context, m ...revocation.Mark) error {
	l.step()
	err := l.List.Revoke(ctx, m...)
	l.step()
	return err
}

// The same with the logout at each point of a request where it can come between.
func TestALogoutBetweenTwoSteps(t *testing.T) {
	list := revocation.NewMemory()
	hook := &hookList{List: list}
	here := newNode(t, chimw.Config{Revocation: hook})
	there := chimw.NewGuard(here.issuer.Verifier(), chimw.Config{Revocation: list})
	for name, answer := range inFlight(here) {
		steps := 1
		for at := 0; at < steps; at++ {
			tok := seal(t, here.ring, fresh(time.Now().Add(-20*time.Minute)))
			var bye *http.Response
			steps = 0
			hook.step = func() {
				if steps++; steps == at+1 {
					bye = send(do(there.Logout), "POST", withCookie(tok))
				}
			}
			response := send(answer, "POST", withCookie(tok))
			hook.step = func() {}
			if !isCleared(bye.Header) {
				t.Errorf("%s, step %d: not logged out: %v", name, at, bye.Header)
			}
			for _, line := range ours(response.Header) {
				next, _, _ := strings.Cut(strings.TrimPrefix(line, cookieName+"="), ";")
				refused(t, fmt.Sprintf("%s, step %d", name, at), next, here.Guard, there)
			}
		}
		if steps == 0 {
			t.Errorf("%s: the list was not asked", name)
		}
	}
}
