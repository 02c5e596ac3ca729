package refresh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/refresh"
	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

type user struct{ Name string }

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * hour
)

// A refresh token lives for a week, a session for a month.
var api = token.Config{Issuer: "example.com", Audience: "api", Lifetime: 7 * day, MaxAge: 30 * day}

func newRing(t testing.TB, format keys.Format) *keys.Ring {
	t.Helper()
	set, err := keys.NewSet(format, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// A store that can be away, before or after it has done what it was asked.
type store struct {
	refresh.Store
	calls  atomic.Int32
	down   error
	silent bool // it does it, and the answer is lost
}

func (s *store) Put(ctx context.Context, session string, g int64, until time.Time) error {
	if s.calls.Add(1); s.down != nil {
		return s.down
	}
	return s.Store.Put(ctx, session, g, until)
}

func (s *store) Advance(ctx context.Context, session string, from int64, grace time.Duration, until time.Time) (int64, error) {
	if s.calls.Add(1); s.down != nil {
		if s.silent {
			s.Store.Advance(ctx, session, from, grace, until)
		}
		return 0, s.down
	}
	return s.Store.Advance(ctx, session, from, grace, until)
}

type list struct {
	revocation.List
	down error
}

func (l *list) Revoke(ctx context.Context, m ...revocation.Mark) error {
	if l.down != nil {
		return l.down
	}
	return l.List.Revoke(ctx, m...)
}

var errDown = errors.New("it is away")

// An app is an API of two nodes that share ring, store and list.
type app struct {
	ring   *keys.Ring
	store  *store
	list   *list
	config refresh.Config
	nodes  [2]*refresh.Tokens[user]
	guards [2]*chimw.Guard[user]

	mu      sync.Mutex
	thefts  []token.Claims
	reports []error
}

func newApp(t testing.TB, change func(*refresh.Config)) *app {
	t.Helper()
	a := &app{store: &store{Store: new(refresh.Memory)}, list: &list{List: new(revocation.Memory)}}
	a.config = refresh.Config{Store: a.store, Revocation: a.list,
		Theft: func(_ context.Context, c token.Claims) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.thefts = append(a.thefts, c)
		},
		Report: func(_ *http.Request, err error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.reports = append(a.reports, err)
		},
	}
	if change != nil {
		change(&a.config)
	}
	a.use(newRing(t, keys.JWT))
	return a
}

func (a *app) use(ring *keys.Ring) {
	a.ring = ring
	for i := range a.nodes {
		a.nodes[i] = refresh.New[user](a.ring, api, a.config)
		a.guards[i] = chimw.NewGuard(token.NewVerifier[user](a.ring, api), chimw.Config{Revocation: a.list, Bearer: true})
	}
}

func (a *app) login(t testing.TB) refresh.Pair {
	t.Helper()
	p, err := a.nodes[0].Login(t.Context(), "alice", user{"Alice"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// refreshed returns the pair after a refresh token, from the node.
func (a *app) refreshed(t testing.TB, node int, p refresh.Pair) refresh.Pair {
	t.Helper()
	next, err := a.nodes[node].Refresh(t.Context(), p.RefreshToken)
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	return next
}

// me returns the status that a node gives to an access token.
func (a *app) me(node int, p refresh.Pair) int {
	r := httptest.NewRequest("GET", "https://example.com/me", nil)
	r.Header.Set("Authorization", "Bearer "+p.AccessToken)
	w := httptest.NewRecorder()
	a.guards[node].Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := chimw.FromContext[user](r.Context())
		fmt.Fprint(w, "hello, ", s.Data().Name)
	})).ServeHTTP(w, r)
	if w.Code == http.StatusOK && w.Body.String() != "hello, Alice" {
		return -1
	}
	return w.Code
}

// claims opens a refresh token.
func (a *app) claims(t testing.TB, p refresh.Pair) token.Claims {
	t.Helper()
	c, err := a.ring.Open(p.RefreshToken, token.Binding{Purpose: token.PurposeRefresh, Issuer: "example.com", Audience: "api"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// post sends a refresh token to a node.
func (a *app) post(t testing.TB, node int, tok string) (*http.Response, refresh.Pair) {
	t.Helper()
	r := httptest.NewRequest("POST", "https://example.com/refresh", strings.NewReader(url.Values{"refresh_token": {tok}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	a.nodes[node].ServeHTTP(w, r)
	var p refresh.Pair
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
	}
	return w.Result(), p
}

// dead wants a session to be over on each node, whatever token of it is shown.
func (a *app) dead(t *testing.T, pairs ...refresh.Pair) {
	t.Helper()
	for i, p := range pairs {
		for node := range a.nodes {
			if got := a.me(node, p); got != http.StatusUnauthorized {
				t.Errorf("access token %d on node %d: %d", i, node, got)
			}
			if _, err := a.nodes[node].Refresh(t.Context(), p.RefreshToken); !errors.Is(err, revocation.ErrRevoked) {
				t.Errorf("refresh token %d on node %d: %v", i, node, err)
			}
		}
	}
}

func TestLoginAndRefresh(t *testing.T) {
	formattest.Each(t, func(t *testing.T, format keys.Format) {
		a := newApp(t, nil)
		a.use(newRing(t, format))
		synctest.Test(t, func(t *testing.T) {
			p := a.login(t)
			first := a.claims(t, p)
			for i := range int64(100) {
				if got := a.me(0, p); got != http.StatusOK {
					t.Fatalf("refresh %d: %d", i, got)
				}
				if c := a.claims(t, p); c.Revision != i || c.SessionID != first.SessionID || c.StartedAt != first.StartedAt || c.EndsAt != first.EndsAt || c.Raw != first.Raw {
					t.Fatalf("refresh %d: another session, or generation %d", i, c.Revision)
				}
				if p.TokenType != "Bearer" || p.ExpiresIn != 300 {
					t.Errorf("%q, %d s", p.TokenType, p.ExpiresIn)
				}
				time.Sleep(5*minute + minute) // and the leeway
				if got := a.me(1, p); got != http.StatusUnauthorized {
					t.Fatalf("refresh %d: an access token of six minutes is good", i)
				}
				p = a.refreshed(t, int(i%2), p)
			}
			if len(a.thefts) > 0 {
				t.Errorf("%d thefts", len(a.thefts))
			}
		})
	})
}

func TestAHundredAtATimeGetOneGeneration(t *testing.T) {
	a := newApp(t, nil)
	synctest.Test(t, func(t *testing.T) {
		p := a.login(t)
		for round := range 5 {
			time.Sleep(5 * minute)
			pairs := make([]refresh.Pair, 100)
			var wg sync.WaitGroup
			for i := range pairs {
				wg.Go(func() {
					var err error
					if pairs[i], err = a.nodes[i%2].Refresh(t.Context(), p.RefreshToken); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			want := a.claims(t, pairs[0])
			for i, next := range pairs {
				c := a.claims(t, next)
				if c.ID != want.ID || c.Revision != int64(round+1) || a.me(i%2, next) != http.StatusOK {
					t.Errorf("round %d: another token, or generation %d", round, c.Revision)
				}
			}
			p = pairs[round*7] // any of them goes on
		}
		if len(a.thefts) > 0 {
			t.Errorf("%d thefts", len(a.thefts))
		}
	})
}

func TestReplayAfterTheGraceEndsTheSessionEverywhere(t *testing.T) {
	for back := range 3 {
		t.Run(fmt.Sprint(back), func(t *testing.T) {
			a := newApp(t, nil)
			synctest.Test(t, func(t *testing.T) {
				other := a.login(t)
				pairs := []refresh.Pair{a.login(t)}
				for i := range 3 {
					time.Sleep(3 * minute)
					pairs = append(pairs, a.refreshed(t, i%2, pairs[i]))
				}
				time.Sleep(minute)
				latest := pairs[3]
				if got := a.me(1, latest); got != http.StatusOK {
					t.Fatalf("before: %d", got)
				}
				resp, _ := a.post(t, 1, pairs[back].RefreshToken)
				if resp.StatusCode != http.StatusUnauthorized || len(a.reports) != 1 || !errors.Is(a.reports[0], refresh.ErrReused) {
					t.Errorf("%d, reported %v", resp.StatusCode, a.reports)
				}
				a.dead(t, pairs...)
				if len(a.thefts) != 1 || a.thefts[0].Subject != "alice" || a.thefts[0].Revision != int64(back) {
					t.Errorf("%d thefts", len(a.thefts))
				}
				if got := a.me(0, a.refreshed(t, 1, other)); got != http.StatusOK {
					t.Errorf("another session of the same user: %d", got)
				}
			})
		})
	}
}

func TestALostResponse(t *testing.T) {
	a := newApp(t, nil)
	synctest.Test(t, func(t *testing.T) {
		p := a.login(t)
		time.Sleep(5 * minute)
		lost := a.refreshed(t, 0, p)
		time.Sleep(minute - 1)
		next := a.refreshed(t, 1, p)
		if a.claims(t, lost).ID != a.claims(t, next).ID {
			t.Error("a fork")
		}
		// The lost one turns up after all, when the client has gone on.
		time.Sleep(5 * minute)
		after := a.refreshed(t, 0, next)
		if again := a.refreshed(t, 1, lost); a.claims(t, again).ID != a.claims(t, after).ID {
			t.Error("a fork")
		}
		// A straggler, while the client has been given one newer generation.
		if again := a.refreshed(t, 1, after); a.claims(t, again).ID != a.claims(t, after).ID {
			t.Error("two steps in one grace")
		}
		time.Sleep(minute)
		if _, err := a.nodes[0].Refresh(t.Context(), lost.RefreshToken); !errors.Is(err, refresh.ErrReused) {
			t.Errorf("after the grace: %v", err)
		}
		a.dead(t, p, lost, next, after)
	})
}

func TestNoGrace(t *testing.T) {
	a := newApp(t, func(c *refresh.Config) { c.Grace = -1 })
	synctest.Test(t, func(t *testing.T) {
		p := a.login(t)
		next := a.refreshed(t, 0, a.refreshed(t, 0, p))
		if got := a.claims(t, next).Revision; got != 2 {
			t.Errorf("generation %d", got)
		}
		if _, err := a.nodes[1].Refresh(t.Context(), p.RefreshToken); !errors.Is(err, refresh.ErrReused) {
			t.Errorf("used twice: %v", err)
		}
	})
}

// Neither kind stands in for the other, and none for another API.
func TestPurposeAndAudience(t *testing.T) {
	formattest.Each(t, func(t *testing.T, format keys.Format) {
		a := newApp(t, nil)
		a.use(newRing(t, format))
		synctest.Test(t, func(t *testing.T) {
			tokens, p := a.nodes[0], a.login(t)
			other := api
			other.Audience = "billing"
			elsewhere := refresh.New[user](a.ring, other, a.config)
			if got := a.me(0, p); got != http.StatusOK {
				t.Errorf("%s: %d", format, got)
			}
			if got := a.me(0, refresh.Pair{AccessToken: p.RefreshToken}); got != http.StatusUnauthorized {
				t.Errorf("%s: a refresh token as an access token: %d", format, got)
			}
			a.store.calls.Store(0)
			for name, try := range map[string]func() (refresh.Pair, error){
				"an access token":    func() (refresh.Pair, error) { return tokens.Refresh(t.Context(), p.AccessToken) },
				"another audience's": func() (refresh.Pair, error) { return elsewhere.Refresh(t.Context(), p.RefreshToken) },
				"garbage":            func() (refresh.Pair, error) { return tokens.Refresh(t.Context(), "garbage") },
				"nothing":            func() (refresh.Pair, error) { return tokens.Refresh(t.Context(), "") },
			} {
				if got, err := try(); !errors.Is(err, token.ErrInvalid) || got != (refresh.Pair{}) {
					t.Errorf("%s, %s: %v", format, name, err)
				}
			}
			if n := a.store.calls.Load(); n > 0 {
				t.Errorf("%s: the store was asked %d times about tokens that mean nothing", format, n)
			}
		})
	})
}

func TestTheSessionEnds(t *testing.T) {
	a := newApp(t, nil)
	synctest.Test(t, func(t *testing.T) {
		p := a.login(t)
		time.Sleep(8 * day)
		if _, err := a.nodes[0].Refresh(t.Context(), p.RefreshToken); !errors.Is(err, token.ErrExpired) {
			t.Errorf("idle for more than a week: %v", err)
		}
		p = a.login(t)
		end := a.claims(t, p).EndsAt
		for time.Until(end) > 6*day {
			time.Sleep(6 * day)
			p = a.refreshed(t, 0, p)
		}
		time.Sleep(time.Until(end) - 2*time.Second)
		p = a.refreshed(t, 0, p)
		c := a.claims(t, p)
		if p.ExpiresIn != 2 || !c.ExpiresAt.Equal(end) {
			t.Errorf("the last access token lives for %d s", p.ExpiresIn)
		}
		time.Sleep(time.Until(end))
		for range 2 {
			if _, err := a.nodes[0].Refresh(t.Context(), p.RefreshToken); !errors.Is(err, token.ErrExpired) {
				t.Errorf("at the end: %v", err)
			}
			time.Sleep(time.Hour)
		}
		if len(a.thefts) > 0 {
			t.Error("that was no theft")
		}
	})
}

// Whatever takes a session back takes its refresh token back.
func TestRevokedSessionsAreNotRefreshed(t *testing.T) {
	a := newApp(t, nil)
	for name, end := range map[string]func(p refresh.Pair) error{
		"by the refresh token": func(p refresh.Pair) error { return a.nodes[1].Logout(t.Context(), p.RefreshToken) },
		"by the access token": func(p refresh.Pair) error {
			r := httptest.NewRequest("POST", "https://example.com/logout", nil)
			r.Header.Set("Authorization", "Bearer "+p.AccessToken)
			return a.guards[1].Logout(httptest.NewRecorder(), r)
		},
		"everywhere": func(p refresh.Pair) error { return a.list.Revoke(t.Context(), revocation.Subject("alice", api.MaxAge)) },
	} {
		p := a.login(t)
		next := a.refreshed(t, 0, p)
		if err := end(next); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a.dead(t, p, next)
	}
	if err := a.nodes[0].Logout(t.Context(), "garbage"); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("a logout by garbage: %v", err)
	}
	a.list.down = errDown
	if err := a.nodes[0].Logout(t.Context(), a.login(t).RefreshToken); !errors.Is(err, errDown) || errors.Is(err, token.ErrInvalid) {
		t.Errorf("a logout that was not stored: %v", err)
	}
}

// The session is no longer refreshed from the moment of the theft, whether the list
// takes the mark or not.
func TestATheftWhileTheListIsAway(t *testing.T) {
	a := newApp(t, nil)
	synctest.Test(t, func(t *testing.T) {
		p := a.login(t)
		next := a.refreshed(t, 0, p)
		time.Sleep(2 * minute)
		a.list.down = errDown
		for _, tok := range []string{p.RefreshToken, next.RefreshToken} {
			resp, _ := a.post(t, 1, tok)
			if resp.StatusCode != http.StatusServiceUnavailable || len(a.thefts) > 0 {
				t.Errorf("%d, %d thefts", resp.StatusCode, len(a.thefts))
			}
		}
		a.list.down = nil
		if resp, _ := a.post(t, 0, next.RefreshToken); resp.StatusCode != http.StatusUnauthorized || len(a.thefts) != 1 {
			t.Errorf("%d, %d thefts", resp.StatusCode, len(a.thefts))
		}
		a.dead(t, p, next)
	})
}

func TestHandler(t *testing.T) {
	a := newApp(t, nil)
	p := a.login(t)
	form := url.Values{"refresh_token": {p.RefreshToken}}.Encode()
	for name, tt := range map[string]struct {
		method, url, kind, body string
		want                    int
	}{
		"plain":             {"POST", "/", "application/x-www-form-urlencoded", form, 200},
		"with a charset":    {"POST", "/", "application/x-www-form-urlencoded; charset=utf-8", form, 200},
		"with a grant type": {"POST", "/", "application/x-www-form-urlencoded", form + "&grant_type=refresh_token&scope=x", 200},
		"another grant":     {"POST", "/", "application/x-www-form-urlencoded", form + "&grant_type=password", 401},
		"two grants":        {"POST", "/", "application/x-www-form-urlencoded", form + "&grant_type=refresh_token&grant_type=refresh_token", 401},
		"twice":             {"POST", "/", "application/x-www-form-urlencoded", form + "&" + form, 401},
		"nothing":           {"POST", "/", "application/x-www-form-urlencoded", "", 401},
		"in the URL":        {"POST", "/?" + form, "application/x-www-form-urlencoded", "", 401},
		"JSON":              {"POST", "/", "application/json", `{"refresh_token":"` + p.RefreshToken + `"}`, 401},
		"no type":           {"POST", "/", "", form, 401},
		"large":             {"POST", "/", "application/x-www-form-urlencoded", "refresh_token=" + strings.Repeat("a", 10_000), 401},
		"a broken escape":   {"POST", "/", "application/x-www-form-urlencoded", "refresh_token=%zz", 401},
		"GET":               {"GET", "/?" + form, "", "", 405},
		"PUT":               {"PUT", "/", "application/x-www-form-urlencoded", form, 405},
	} {
		t.Run(name, func(t *testing.T) {
			a.reports = nil
			r := httptest.NewRequest(tt.method, "https://example.com"+tt.url, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.kind)
			w := httptest.NewRecorder()
			a.nodes[0].ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("%d, want %d", w.Code, tt.want)
			}
			if tt.want == 405 {
				return
			}
			if w.Header().Get("Cache-Control") != "no-store" || (len(a.reports) == 1) != (tt.want == 401) {
				t.Errorf("headers %v, reported %v", w.Header(), a.reports)
			}
			if tt.want == 401 && w.Body.String() != "Unauthorized\n" {
				t.Errorf("body %q", w.Body)
			}
			var members map[string]any
			if tt.want == 200 && (json.Unmarshal(w.Body.Bytes(), &members) != nil || len(members) != 4 || members["token_type"] != "Bearer" || members["expires_in"] != 300.0) {
				t.Errorf("body %d bytes, %v", w.Body.Len(), w.Header())
			}
		})
	}
}

// A form that stops arriving is no reason to log anybody in again.
func TestAFormThatDoesNotArrive(t *testing.T) {
	a := newApp(t, nil)
	p := a.login(t)
	form := url.Values{"refresh_token": {p.RefreshToken}}.Encode()
	for _, cut := range []int{0, 1, len(form) / 2, len(form) - 1} {
		a.reports = nil
		body := io.MultiReader(strings.NewReader(form[:cut]), iotest.ErrReader(os.ErrDeadlineExceeded))
		r := httptest.NewRequest("POST", "https://example.com/", body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		a.nodes[0].ServeHTTP(w, r)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || len(a.reports) != 1 || errors.Is(a.reports[0], token.ErrInvalid) {
			t.Errorf("after %d bytes: %d %v, reported %v", cut, w.Code, w.Header(), a.reports)
		}
	}
	a.refreshed(t, 0, p)
}

// A client that hangs up in the middle leaves no session in doubt.
func TestAClientThatHangsUp(t *testing.T) {
	a := newApp(t, nil)
	p := a.login(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	lost, err := a.nodes[0].Refresh(gone, p.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if next := a.refreshed(t, 1, p); a.claims(t, next).ID != a.claims(t, lost).ID {
		t.Error("a fork")
	}
}

func TestPairsAndErrorsPrintNoSecret(t *testing.T) {
	a := newApp(t, nil)
	p := a.login(t)
	out := fmt.Sprintf("%v %+v %#v %s %q %v %+v", p, p, p, p, p, &p, struct{ P refresh.Pair }{p})
	a.list.List = new(revocation.Memory)
	for _, tok := range []string{p.AccessToken, p.RefreshToken + "x", strings.ToUpper(p.RefreshToken)} {
		_, err := a.nodes[0].Refresh(t.Context(), tok)
		out += fmt.Sprintf("%+v", err)
	}
	for _, secret := range []string{p.AccessToken[20:40], p.RefreshToken[20:40], "alice", "Alice"} {
		if strings.Contains(out, secret) {
			t.Errorf("printed: %s", out)
		}
	}
}

func TestLoginThatFails(t *testing.T) {
	a := newApp(t, nil)
	var large *token.SizeError
	if p, err := a.nodes[0].Login(t.Context(), "alice", user{strings.Repeat("x", 8000)}); !errors.As(err, &large) || p != (refresh.Pair{}) {
		t.Errorf("data that does not fit: %v", err)
	}
	a.store.down = errDown
	if p, err := a.nodes[0].Login(t.Context(), "alice", user{}); !errors.Is(err, errDown) || p != (refresh.Pair{}) {
		t.Errorf("the store is away: %v", err)
	}
}

// What fits at the login fits for ever.
func TestTheLargestDataIsRefreshed(t *testing.T) {
	formattest.Each(t, func(t *testing.T, format keys.Format) {
		policy := api
		policy.MaxSize = token.MaxSize
		ring := newRing(t, format)
		s := new(refresh.Memory)
		tokens := refresh.New[user](ring, policy, refresh.Config{Store: s, Revocation: new(revocation.Memory)})
		_, err := tokens.Login(t.Context(), "alice", user{strings.Repeat("x", token.MaxSize)})
		var large *token.SizeError
		if !errors.As(err, &large) {
			t.Fatal(err)
		}
		p, err := tokens.Login(t.Context(), "alice", user{strings.Repeat("x", large.Room-len(`{"Name":""}`))})
		if err != nil {
			t.Fatal(err)
		}
		c, err := ring.Open(p.RefreshToken, token.Binding{Purpose: token.PurposeRefresh, Issuer: "example.com", Audience: "api"})
		if err != nil {
			t.Fatal(err)
		}
		const far = 1<<53 - 10
		if err := s.Put(t.Context(), c.SessionID, far, c.EndsAt); err != nil {
			t.Fatal(err)
		}
		c.Revision = far
		tok, err := ring.Seal(c)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = tokens.Refresh(t.Context(), tok); err != nil || len(p.RefreshToken) > token.MaxSize {
			t.Fatalf("%s: %v, %d bytes", format, err, len(p.RefreshToken))
		}
		if _, err := tokens.Refresh(t.Context(), p.RefreshToken); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	})
}

func TestConfigs(t *testing.T) {
	good := refresh.Config{Revocation: new(revocation.Memory)}
	for name, change := range map[string]func(p *token.Config, c *refresh.Config){
		"no list":            func(p *token.Config, c *refresh.Config) { c.Revocation = nil },
		"half a second":      func(p *token.Config, c *refresh.Config) { c.Access = time.Second / 2 },
		"negative":           func(p *token.Config, c *refresh.Config) { c.Access = -time.Second },
		"as long as refresh": func(p *token.Config, c *refresh.Config) { c.Access = 7 * day },
		"a grace of a day":   func(p *token.Config, c *refresh.Config) { c.Grace = day },
		"no audience":        func(p *token.Config, c *refresh.Config) { p.Audience = "" },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", name)
				}
			}()
			p, c := api, good
			change(&p, &c)
			refresh.New[user](newRing(t, keys.JWT), p, c)
		}()
	}
	refresh.New[user](newRing(t, keys.JWT), token.Config{Issuer: "i", Audience: "a"}, good)
}

// Who logs in after a "log out everywhere" is logged in, though the mark was made by a
// node whose clock is ahead.
func TestALoginComesAfterTheMarksThatAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		old := a.login(t)
		mark := revocation.Mark{Axis: "subject", Value: "alice", At: time.Now().Add(5 * minute), Until: time.Now().Add(31 * day)}
		if err := a.list.Revoke(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		p := a.login(t)
		if got := a.me(1, p); got != http.StatusOK {
			t.Errorf("the access token of a new login: %d", got)
		}
		if got := a.me(0, a.refreshed(t, 1, p)); got != http.StatusOK {
			t.Errorf("and the next one: %d", got)
		}
		if _, err := a.nodes[0].Refresh(t.Context(), old.RefreshToken); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("a session that was logged out: %v", err)
		}
	})
}

// Whoever comes back after the idle time and logs out ends the session for a thief who
// has kept it alive.
func TestLogoutOfAnIdleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		old := a.login(t)
		time.Sleep(6 * day)
		stolen := a.refreshed(t, 1, old)
		time.Sleep(2 * day)
		if err := a.nodes[0].Logout(t.Context(), old.RefreshToken); err != nil {
			t.Fatal(err)
		}
		if _, err := a.nodes[1].Refresh(t.Context(), stolen.RefreshToken); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("the successor of a token that was logged out: %v", err)
		}
	})
}
