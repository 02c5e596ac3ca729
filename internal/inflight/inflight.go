// Package inflight has logouts meet responses that are in flight: what every
// revocation list must be good for, together with package chimw.
package inflight

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

const cookie = "__Host-session"

type user struct{ Name string }

// A pair is a node that mints and one that can't, which share a ring and a list.
type pair struct {
	list  *stepList
	ring  *keys.Ring
	here  *chimw.Sessions[user]
	there *chimw.Guard[user]
}

func newPair(t testing.TB, here, there revocation.List) *pair {
	t.Helper()
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{list: &stepList{here, func() {}}, ring: ring}
	issuer := token.NewIssuer[user](ring, token.Config{Issuer: "example.com", Audience: "web"})
	p.here = chimw.New(issuer, chimw.Config{Revocation: p.list})
	p.there = chimw.NewGuard(issuer.Verifier(), chimw.Config{Revocation: there})
	return p
}

// A stepList calls a function before and after each call of a list.
type stepList struct {
	revocation.List
	step func()
}

func (l *stepList) Check(ctx context.Context, c token.Claims) error {
	l.step()
	defer l.step()
	return l.List.Check(ctx, c)
}

func (l *stepList) Revoke(ctx context.Context, m ...revocation.Mark) error {
	l.step()
	defer l.step()
	return l.List.Revoke(ctx, m...)
}

// answers are handlers whose responses set a cookie.
func (p *pair) answers() map[string]http.Handler {
	rename := func(u *user) { u.Name += "!" }
	do := func(calls ...func(http.ResponseWriter, *http.Request, func(*user)) error) http.Handler {
		return handler(func(w http.ResponseWriter, r *http.Request) (err error) {
			for _, call := range calls {
				if err == nil {
					err = call(w, r, rename)
				}
			}
			return err
		})
	}
	return map[string]http.Handler{
		"renewal":                        p.here.Require(do()),
		"update":                         p.here.Require(do(p.here.Update)),
		"elevation":                      p.here.Require(do(p.here.Elevate)),
		"elevation without a middleware": do(p.here.Reauthenticate),
		"elevation and update":           p.here.Require(do(p.here.Elevate, p.here.Update)),
	}
}

func handler(call func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if call(w, r) != nil {
			w.WriteHeader(http.StatusTeapot)
		}
	})
}

// mint returns a token that is due for renewal, of a session and a subject of its
// own.
func (p *pair) mint(t testing.TB) string {
	t.Helper()
	at := time.Now().Add(-20 * time.Minute).Truncate(time.Second)
	tok, err := p.ring.Seal(token.Claims{
		Binding: token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		ID:      rand.Text(), SessionID: rand.Text(), Subject: rand.Text(),
		StartedAt: at, IssuedAt: at, ExpiresAt: at.Add(30 * time.Minute), EndsAt: at.Add(12 * time.Hour),
		Raw: `{"Name":"Alice"}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func send(h http.Handler, tok string) *http.Response {
	r := httptest.NewRequest("POST", "https://example.com/", nil)
	r.Header.Set("Cookie", cookie+"="+tok)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// set returns the token that a response sets, or nothing.
func set(resp *http.Response) string {
	value, ok := strings.CutPrefix(resp.Header.Get("Set-Cookie"), cookie+"=")
	tok, _, _ := strings.Cut(value, ";")
	if !ok {
		return ""
	}
	return tok
}

// Logouts has a node answer requests while another logs their sessions out, as
// often as runs says. Whichever response a browser gets last, the user is logged out
// on both. The two nodes may have copies of one list: then the first may hear of a
// logout later, but within ten seconds.
func Logouts(t *testing.T, runs int, here, there revocation.List) {
	p := newPair(t, here, there)
	logouts := map[string]http.Handler{
		"logout":             handler(p.there.Logout),
		"logout behind Load": p.there.Load(handler(p.there.Logout)),
		"logout of all":      handler(p.there.LogoutEverywhere), // refused once the session was replaced
	}
	answers := p.answers()
	ran, sent := 0, 0
	for ran < runs {
		for name, answer := range answers {
			for how, logout := range logouts {
				response, bye := p.meet(ran%6, answer, logout, p.mint(t))
				ran++
				switch tok := set(response); {
				case bye.StatusCode != http.StatusOK && how != "logout of all":
					t.Fatalf("%s, %s: %d", name, how, bye.StatusCode)
				case bye.StatusCode == http.StatusOK && tok != "":
					sent++
					p.refused(t, name+", "+how, tok)
				}
			}
		}
	}
	t.Logf("%d logouts met %d responses that set a cookie; it logged nobody in", ran, sent)
	if sent == 0 {
		t.Error("no response was in flight")
	}
}

// meet has a logout set out when a request with the same token has come to a step,
// and then both run on.
func (p *pair) meet(step int, answer, logout http.Handler, tok string) (response, bye *http.Response) {
	var wg sync.WaitGroup
	started := make(chan struct{})
	start := sync.OnceFunc(func() { close(started) })
	p.list.step = func() {
		if step--; step <= 0 {
			start()
		}
	}
	wg.Go(func() {
		response = send(answer, tok)
		start() // at the latest
	})
	wg.Go(func() { <-started; bye = send(logout, tok) })
	wg.Wait()
	p.list.step = func() {}
	return response, bye
}

// refused wants a token refused by the node that logged out at once, and by the
// other as soon as it has heard of it.
func (p *pair) refused(t *testing.T, doing, tok string) {
	t.Helper()
	status := func(g *chimw.Guard[user]) int {
		return send(g.Require(handler(func(http.ResponseWriter, *http.Request) error { return nil })), tok).StatusCode
	}
	if got := status(p.there); got != http.StatusUnauthorized {
		t.Fatalf("%s: the node that logged out answers %d", doing, got)
	}
	end := time.Now().Add(10 * time.Second)
	for status(p.here.Guard) != http.StatusUnauthorized {
		if time.Now().After(end) {
			t.Fatalf("%s: the other node still lets the session pass", doing)
		}
		time.Sleep(time.Millisecond)
	}
}
