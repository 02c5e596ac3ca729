package chimw_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
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
// user is logged out on both.
func TestAResponseInFlightLogsNobodyIn(t *testing.T) {
	list := revocation.NewMemory()
	logoutsInFlight(t, 1000, list, list)
}

var onRedis = flag.Int("inflight", 60, "how many logouts meet a response in flight, on Redis")

// The same with a copy of the list in each node: the node that logs out refuses at
// once, the other when it hears of it.
func TestAResponseInFlightLogsNobodyInOnRedis(t *testing.T) {
	server := redistest.Start(t)
	open := func() *redislist.List {
		c := redis.NewClient(&redis.Options{Addr: server.Addr, ContextTimeoutEnabled: true})
		t.Cleanup(func() { c.Close() })
		l := redislist.New(c, "web:")
		t.Cleanup(func() { l.Close() })
		if err := l.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		return l
	}
	logoutsInFlight(t, *onRedis, open(), open())
}

// logoutsInFlight races logouts against responses. Each logout sets out when the
// request has come to one of its steps, and then both run on.
func logoutsInFlight(t *testing.T, runs int, listHere, listThere revocation.List) {
	hook := &hookList{List: listHere}
	here := newNode(t, chimw.Config{Revocation: hook})
	there := chimw.NewGuard(here.issuer.Verifier(), chimw.Config{Revocation: listThere})
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
				tok := seal(t, here.ring, fresh(time.Now().Add(-20*time.Minute)))
				response, bye := meet(hook, ran%6, answer, logout, tok)
				ran++
				if !isCleared(bye.Header) {
					if how != "logout of all" || bye.StatusCode != http.StatusTeapot {
						t.Fatalf("%s, %s: %d", name, how, bye.StatusCode)
					}
					continue
				}
				for _, line := range ours(response.Header) {
					next, _, _ := strings.Cut(strings.TrimPrefix(line, cookieName+"="), ";")
					sent++
					refused(t, name+", "+how, next, there, here.Guard)
				}
			}
		}
	}
	t.Logf("%d runs, %d responses set a cookie that logged nobody in", ran, sent)
	if sent == 0 {
		t.Error("no response was in flight")
	}
}

// meet has a request and a logout with one token meet at a step of the request.
func meet(hook *hookList, step int, answer, logout http.Handler, tok string) (response, bye *http.Response) {
	var wg sync.WaitGroup
	started := make(chan struct{})
	start := sync.OnceFunc(func() { close(started) })
	hook.step = func() {
		if step--; step <= 0 {
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
	return response, bye
}

// refused wants the token refused by the first guard at once, and by the others as
// soon as they have heard of it.
func refused(t *testing.T, doing, tok string, guards ...*chimw.Guard[user]) {
	t.Helper()
	for i, g := range guards {
		status := func() int { return send(g.Require(hello), "GET", withCookie(tok)).StatusCode }
		for end := time.Now().Add(10 * time.Second); i > 0 && status() != http.StatusUnauthorized && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if got := status(); got != http.StatusUnauthorized {
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
		for how, logout := range map[string]func(http.ResponseWriter, *http.Request) error{
			"this one": there.Logout,
			"all":      there.LogoutEverywhere,
			"subject": func(_ http.ResponseWriter, r *http.Request) error {
				s, err := here.issuer.Verifier().Verify(strings.TrimPrefix(r.Header.Get("Cookie"), cookieName+"="))
				return errors.Join(err, list.Revoke(r.Context(), revocation.Subject(s.Subject, 0)))
			},
		} {
			steps := 1
			for at := 0; at < steps; at++ {
				tok := seal(t, here.ring, fresh(time.Now().Add(-20*time.Minute)))
				var bye error
				steps = 0
				hook.step = func() {
					if steps++; steps == at+1 {
						bye = logout(httptest.NewRecorder(), newRequest("POST", withCookie(tok)))
					}
				}
				response := send(answer, "POST", withCookie(tok))
				hook.step = func() {}
				if bye != nil && how != "all" { // which needs a session that is good
					t.Errorf("%s, %s, step %d: not logged out: %v", name, how, at, bye)
				}
				for _, line := range ours(response.Header) {
					next, _, _ := strings.Cut(strings.TrimPrefix(line, cookieName+"="), ";")
					if bye == nil {
						refused(t, fmt.Sprintf("%s, %s, step %d", name, how, at), next, there, here.Guard)
					}
				}
			}
			if steps == 0 {
				t.Errorf("%s: the list was not asked", name)
			}
		}
	}
}
