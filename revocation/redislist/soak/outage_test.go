package soak

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

func newIssuer(t *testing.T) *token.Issuer[string] {
	set, err := keys.NewSet(keys.PASETO, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	source := keys.Source{Path: filepath.Join(t.TempDir(), "ring.json"), Plain: true}
	if err := source.Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	ring, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token.NewIssuer[string](ring, token.Config{Issuer: "example.com", Audience: "web"})
}

// A site is a node behind HTTP. Each of its routes has a policy of its own.
type site struct {
	list    *redislist.List
	server  *httptest.Server
	audited atomic.Int64
}

// policies are the routes, and what becomes there of a session that the copy has
// nothing about, when that is older than the bound.
var policies = map[string]int{"/always": 200, "/closed": 503, "/open": 200, "/recent": 200}

func newSite(t *testing.T, l *redislist.List, i *token.Issuer[string], bound time.Duration) *site {
	s := &site{list: l}
	sessions := chimw.New(i, chimw.Config{Revocation: l})
	with := func(p freshness.Policy) *chimw.Sessions[string] { return sessions.With(freshness.NewChecker(l, p)) }
	mux := http.NewServeMux()
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	mux.Handle("/always", sessions.Require(ok))
	mux.Handle("/closed", with(freshness.Closed(bound)).Require(ok))
	mux.Handle("/open", with(freshness.Open(bound, func(token.Claims, time.Duration) { s.audited.Add(1) })).Require(ok))
	mux.Handle("/recent", with(freshness.Recent(2*time.Minute)).Require(ok))
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	return s
}

// get returns the status, and an error if the answer touches a cookie or if a 503
// does not say when to come back.
func (s *site) get(path, tok string) (int, error) {
	r, _ := http.NewRequest("GET", s.server.URL+path, nil)
	r.AddCookie(&http.Cookie{Name: "__Host-session", Value: tok})
	resp, err := s.server.Client().Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if len(resp.Cookies()) > 0 {
		return 0, errors.New("the answer sets a cookie")
	}
	if resp.StatusCode == 503 && resp.Header.Get("Retry-After") == "" {
		return 0, errors.New("503 without Retry-After")
	}
	return resp.StatusCode, nil
}

// traffic counts what requests got.
type traffic struct {
	mu                          sync.Mutex
	requests, inside, beyond    int
	wrong, revokedAccepted, bad int
	example                     string
}

// drive sends requests to a site until ctx is done: on all routes, with sessions
// that are good and one in ten that is revoked.
func (tr *traffic) drive(ctx context.Context, s *site, bound time.Duration, good, revoked []string) {
	paths := []string{"/always", "/closed", "/open", "/recent"}
	tick := time.NewTicker(6 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		path, tok, isRevoked := paths[n%4], good[n%len(good)], n%10 == 0
		if isRevoked {
			tok = revoked[n%len(revoked)]
		}
		before := s.list.Age()
		status, err := s.get(path, tok)
		after := s.list.Age()
		tr.mu.Lock()
		tr.requests++
		want := 200
		switch {
		case err != nil:
			tr.bad++
			tr.example = err.Error()
		case isRevoked:
			if status == 200 {
				tr.revokedAccepted++
			} else if status != 401 {
				tr.wrong++
			}
		case before <= bound && after <= bound:
			tr.inside++
		case before > bound && after > bound:
			tr.beyond++
			want = policies[path]
		default: // on the edge
			want = status
		}
		if err == nil && !isRevoked && status != want {
			tr.wrong++
		}
		tr.mu.Unlock()
	}
}

func TestAnOutageOfRedisIsNoOutageOfTheSite(t *testing.T) {
	bound, outage := span(5*time.Second, 15*time.Second), span(8*time.Second, 60*time.Second)
	issuer := newIssuer(t)
	for name, args := range map[string][]string{
		"and it comes back with its data": {"--appendonly", "yes"},
		"and it comes back empty":         nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Start(t, args...)
			var sites []*site
			for range 3 {
				l := open(t, connect(t, s.Addr), redislist.Config{Bound: 2 * time.Minute})
				sites = append(sites, newSite(t, l, issuer, bound))
			}
			var good, revoked []string
			for i := range 60 {
				tok, session, err := issuer.Issue("alice", "data")
				if err != nil {
					t.Fatal(err)
				}
				if i%2 == 0 {
					good = append(good, tok)
					continue
				}
				revoked = append(revoked, tok)
				ready(t, sites[i%3].list)
				if err := sites[i%3].list.Revoke(t.Context(), revocation.Session(session.Claims)); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range sites {
				ready(t, s.list)
			}
			time.Sleep(100 * time.Millisecond)
			breakDown(t, s, sites, bound, outage, good, revoked)
		})
	}
}

func breakDown(t *testing.T, s *redistest.Server, sites []*site, bound, outage time.Duration, good, revoked []string) {
	ctx, cancel := context.WithCancel(t.Context())
	var driving sync.WaitGroup
	tr := &traffic{}
	for _, site := range sites {
		driving.Go(func() { tr.drive(ctx, site, bound, good, revoked) })
	}
	time.Sleep(time.Second)
	s.Kill()
	waitFor(t, "the breaker", func() bool {
		start := time.Now()
		sites[0].list.Revoke(ctx, revocation.Session(login()))
		return time.Since(start) < 50*time.Millisecond
	})
	time.Sleep(outage / 2)
	during := login()
	if err := sites[0].list.Revoke(ctx, revocation.Session(during)); !errors.Is(err, redislist.ErrNotConfirmed) {
		t.Errorf("a revocation during the outage: %v", err)
	}
	if !refused(sites[0].list, during) {
		t.Error("the node that was told accepts a session that was revoked during the outage")
	}
	time.Sleep(outage / 2)
	s.Start()
	back := time.Now()
	var normal, told time.Duration
	waitFor(t, "fresh copies", func() bool {
		for _, site := range sites {
			if site.list.Age() > 4*time.Second {
				return false
			}
		}
		return true
	})
	normal = time.Since(back)
	waitFor(t, "what was revoked during the outage", func() bool { return refused(sites[1].list, during) && refused(sites[2].list, during) })
	told = time.Since(back)
	time.Sleep(time.Second)
	cancel()
	driving.Wait()
	t.Logf("%d requests, %d inside the bound, %d beyond; copies fresh %v after the return, marks of the outage everywhere after %v; %d audited",
		tr.requests, tr.inside, tr.beyond, normal, told, sites[0].audited.Load()+sites[1].audited.Load()+sites[2].audited.Load())
	if tr.wrong > 0 || tr.revokedAccepted > 0 || tr.bad > 0 || tr.beyond == 0 {
		t.Errorf("%d answers against the policy, %d revoked sessions accepted, %d failed: %s", tr.wrong, tr.revokedAccepted, tr.bad, tr.example)
	}
}
