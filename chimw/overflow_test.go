package chimw_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/overflow"
	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// An overflowStore counts what it is asked, can be away, and can be in wrong hands.
type overflowStore struct {
	overflow.Store
	puts, gets int
	down       error
	entries    map[string][]byte // all that was put, by session and name
	give       []byte            // instead of what is there
}

func newOverflow() *overflowStore {
	return &overflowStore{Store: new(overflow.Memory), entries: map[string][]byte{}}
}

func (s *overflowStore) Put(ctx context.Context, session, name string, entry []byte, until time.Time) error {
	if s.puts++; s.down != nil {
		return s.down
	}
	s.entries[session+" "+name] = bytes.Clone(entry)
	return s.Store.Put(ctx, session, name, entry, until)
}

func (s *overflowStore) Get(ctx context.Context, session, name string) ([]byte, error) {
	switch s.gets++; {
	case s.down != nil:
		return nil, s.down
	case s.give != nil:
		return s.give, nil
	}
	return s.Store.Get(ctx, session, name)
}

// sized is data of n bytes of JSON.
func sized(n int) user { return user{Name: strings.Repeat("x", n-len(`{"Name":""}`))} }

// nameOf answers with how long the name is.
var nameOf = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	s, ok := chimw.FromContext[user](r.Context())
	if !ok {
		io.WriteString(w, "stranger")
		return
	}
	fmt.Fprint(w, len(s.Data().Name))
})

func (n *node) loginWith(data user) http.Handler {
	return do(func(w http.ResponseWriter, r *http.Request) error { return n.Login(w, r, "alice", data) })
}

// rename changes the name to one with which the data has n bytes.
func (n *node) rename(size int) http.Handler {
	return do(func(w http.ResponseWriter, r *http.Request) error {
		return n.Update(w, r, func(u *user) { *u = sized(size) })
	})
}

// Data of each size, with a store and without.
func TestSizesOfData(t *testing.T) {
	const kib = 1024
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		for size, fits := range map[int]bool{kib: true, 1843: true, 2 * kib: false, 64 * kib: false, overflow.MaxSize: false} {
			store := newOverflow()
			without, with := newNode(t, chimw.Config{}), newNode(t, chimw.Config{})
			without.use(t, f, nil)
			with.use(t, f, store)
			var large *token.SizeError
			h, err := call(bare, func(w http.ResponseWriter, r *http.Request) error { return without.Login(w, r, "alice", sized(size)) }, newRequest("POST", header()))
			if fits != (err == nil) || !fits && (!errors.As(err, &large) || large.Members["Name"] == 0 || len(h) > 0) {
				t.Errorf("%d bytes without a store: %v", size, err)
			}
			resp := send(with.loginWith(sized(size)), "POST", header())
			line := ours(resp.Header)[0]
			tok := set(t, resp.Header)
			if len(line) > 4096 || store.puts != map[bool]int{true: 0, false: 1}[fits] {
				t.Errorf("%d bytes: a cookie of %d, %d puts", size, len(line), store.puts)
			}
			for range 3 {
				resp = send(with.Require(nameOf), "GET", withCookie(tok))
				if got := body(t, resp); got != fmt.Sprint(len(sized(size).Name)) {
					t.Errorf("%d bytes: the handler got %d %s", size, resp.StatusCode, got)
				}
			}
			if store.gets != map[bool]int{true: 0, false: 3}[fits] {
				t.Errorf("%d bytes: %d gets in 3 requests", size, store.gets)
			}
		}
	})
}

// use gives a node a ring of that format, and a store.
func (n *node) use(t *testing.T, f keys.Format, store overflow.Store) {
	t.Helper()
	set, err := keys.NewSet(f, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if n.ring, err = set.Ring(); err != nil {
		t.Fatal(err)
	}
	n.issuer = token.NewIssuer[user](n.ring, web)
	n.Sessions = chimw.New(n.issuer, chimw.Config{Revocation: n.list, Overflow: store})
}

func TestDataBeyondTheOverflow(t *testing.T) {
	n := newNode(t, chimw.Config{Overflow: newOverflow()})
	var large *token.SizeError
	_, err := call(bare, func(w http.ResponseWriter, r *http.Request) error {
		return n.Login(w, r, "alice", sized(overflow.MaxSize+1))
	}, newRequest("POST", header()))
	if !errors.As(err, &large) || large.Room != overflow.MaxSize {
		t.Errorf("%v", err)
	}
}

// A session goes on as any other: growing, renewed, shrinking, elevated, logged out.
func TestASessionThatOverflows(t *testing.T) {
	store := newOverflow()
	n := newNode(t, chimw.Config{Overflow: store})
	synctest.Test(t, func(t *testing.T) {
		tok, _ := n.issue(t)
		step := func(what string, h http.Handler, wantPuts int) {
			t.Helper()
			store.puts = 0
			resp := send(h, "POST", withCookie(tok))
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d %s", what, resp.StatusCode, body(t, resp))
			}
			if len(ours(resp.Header)) > 0 {
				tok = set(t, resp.Header)
			}
			if store.puts != wantPuts {
				t.Errorf("%s: %d puts", what, store.puts)
			}
		}
		has := func(what string, size int) {
			t.Helper()
			if got := body(t, send(n.Guard.Require(nameOf), "GET", withCookie(tok))); got != fmt.Sprint(len(sized(size).Name)) {
				t.Errorf("%s: the name has %s", what, got)
			}
		}
		step("grow", n.rename(10_000), 1)
		before := tok
		step("change nothing", n.rename(10_000), 0)
		step("change", n.rename(20_000), 1)
		has("changed", 20_000)
		tok, before = before, tok
		has("the cookie from before, whose successor may be lost", 10_000)
		tok = before
		time.Sleep(20 * time.Minute)
		old := tok
		step("renew", n.Require(nameOf), 0)
		if tok == old {
			t.Error("it was not renewed")
		}
		has("renewed", 20_000)
		step("elevate", do(func(w http.ResponseWriter, r *http.Request) error {
			return n.Elevate(w, r, nil)
		}), 1)
		has("elevated", 20_000)
		step("shrink", n.rename(100), 0)
		store.gets = 0
		has("shrunk", 100)
		if store.gets > 0 {
			t.Error("the store was asked about data in the token")
		}
		step("grow again", n.Require(n.rename(30_000)), 1)
		last := tok
		if resp := send(n.Require(do(n.Logout)), "POST", withCookie(tok)); !isCleared(resp.Header) {
			t.Errorf("logout: %d, %v", resp.StatusCode, resp.Header)
		}
		store.gets = 0
		if resp := send(n.Require(nameOf), "GET", withCookie(last)); resp.StatusCode != http.StatusUnauthorized || store.gets > 0 {
			t.Errorf("replayed: %d, %d gets", resp.StatusCode, store.gets)
		}
	})
}

// Of what a renewal does not know nothing gets lost.
func TestUnknownMembersOverflow(t *testing.T) {
	store := newOverflow()
	n := newNode(t, chimw.Config{Overflow: store})
	type newer struct {
		Name string
		More string
	}
	later := chimw.New(token.NewIssuer[newer](n.ring, web), chimw.Config{Overflow: store})
	resp := send(do(func(w http.ResponseWriter, r *http.Request) error {
		return later.Login(w, r, "alice", newer{"Alice", strings.Repeat("m", 9000)})
	}), "POST", header())
	tok := set(t, resp.Header)
	tok = set(t, send(n.buy("pen"), "POST", withCookie(tok)).Header)
	later.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, _ := chimw.FromContext[newer](r.Context()); len(s.Data().More) != 9000 || s.Data().Name != "Alice" {
			t.Error("the older node has lost data")
		}
	})).ServeHTTP(httptest.NewRecorder(), newRequest("GET", withCookie(tok)))
}

func TestTheOverflowStoreIsAway(t *testing.T) {
	store := newOverflow()
	n := newNode(t, chimw.Config{Overflow: store})
	tok := set(t, send(n.loginWith(sized(10_000)), "POST", header()).Header)
	small, _ := n.issue(t)
	store.down = errDown
	for name, m := range map[string]func(http.Handler) http.Handler{"Require": n.Require, "Load": n.Load, "Guard.Require": n.Guard.Require, "Guard.Load": n.Guard.Load} {
		n.reasons = nil
		resp := send(m(nameOf), "GET", withCookie(tok))
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || len(resp.Header["Set-Cookie"]) > 0 {
			t.Errorf("%s: %d, %v", name, resp.StatusCode, resp.Header)
		}
		if len(n.reasons) != 1 || !errors.Is(n.reasons[0], errDown) {
			t.Errorf("%s: reported %v", name, n.reasons)
		}
		for what, h := range map[string]http.Header{"data in the cookie": withCookie(small), "no cookie": header()} {
			if resp := send(m(nameOf), "GET", h); resp.StatusCode == http.StatusServiceUnavailable {
				t.Errorf("%s, %s: 503", name, what)
			}
		}
	}
	for name, method := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"Login": func(w http.ResponseWriter, r *http.Request) error { return n.Login(w, r, "alice", sized(10_000)) },
		"Update": func(w http.ResponseWriter, r *http.Request) error {
			return n.Update(w, r, func(u *user) { u.Name = "" })
		},
		"overflow": func(w http.ResponseWriter, r *http.Request) error {
			return n.Update(w, r, func(u *user) { *u = sized(9000) })
		},
		"Elevate": func(w http.ResponseWriter, r *http.Request) error { return n.Elevate(w, r, nil) },
	} {
		sent := tok
		if name == "overflow" {
			sent = small
		}
		if h, err := call(bare, method, newRequest("POST", withCookie(sent))); !errors.Is(err, errDown) || errors.Is(err, token.ErrInvalid) || len(h) > 0 {
			t.Errorf("%s: %v, %v", name, err, h)
		}
	}
	// Logging out needs no data.
	if h, err := call(bare, n.Logout, newRequest("POST", withCookie(tok))); err != nil || !isCleared(h) {
		t.Errorf("logout: %v, %v", err, h)
	}
	store.down = nil
	if resp := send(n.Require(nameOf), "GET", withCookie(tok)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", resp.StatusCode)
	}
}

// Whatever stands in the place of the entry is refused, and the cookie is kept.
func TestOverflowEntriesThatWereSwapped(t *testing.T) {
	store := newOverflow()
	n := newNode(t, chimw.Config{Overflow: store})
	login := func() string { return set(t, send(n.loginWith(sized(10_000)), "POST", header()).Header) }
	older := login()
	tok := set(t, send(n.rename(10_001), "POST", withCookie(older)).Header)
	login() // another session
	if len(store.entries) != 3 {
		t.Fatalf("%d entries", len(store.entries))
	}
	passed := 0
	check := func(what string, entry []byte, want string) {
		t.Helper()
		store.give, n.reasons = entry, nil
		resp := send(n.Require(nameOf), "GET", withCookie(tok))
		if resp.StatusCode == http.StatusOK {
			passed++
			if got := body(t, resp); got != fmt.Sprint(len(sized(10_001).Name)) {
				t.Errorf("%s: %s", what, got)
			}
			return
		}
		if resp.StatusCode != http.StatusUnauthorized || len(resp.Header["Set-Cookie"]) > 0 || reasonOf(n.reasons[0]) != want {
			t.Errorf("%s: %d, %v, reported %v", what, resp.StatusCode, resp.Header, n.reasons)
		}
		if got := body(t, send(n.Load(nameOf), "GET", withCookie(tok))); got != "stranger" {
			t.Errorf("%s: Load gives %q", what, got)
		}
	}
	for _, place := range slices.Sorted(maps.Keys(store.entries)) {
		check("an entry of the store", store.entries[place], "data altered")
	}
	if passed != 1 {
		t.Errorf("%d of 3 entries pass", passed)
	}
	check("nothing", []byte{}, "data altered")
	check("garbage", bytes.Repeat([]byte{7}, 10_001), "data altered")
	store.Store = new(overflow.Memory)
	check("emptied", nil, "data lost")
	if passed != 1 {
		t.Error("something else passes")
	}
}

// Nodes without the store can't tell, and those that need no data need no store.
func TestANodeWithoutTheOverflowStore(t *testing.T) {
	n := newNode(t, chimw.Config{Overflow: newOverflow()})
	tok := set(t, send(n.loginWith(sized(10_000)), "POST", header()).Header)
	list := new(revocation.Memory)
	poor := chimw.NewGuard(token.NewVerifier[user](n.ring, web), chimw.Config{Revocation: list})
	if resp := send(poor.Require(nameOf), "GET", withCookie(tok)); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a guard without a store: %d", resp.StatusCode)
	}
	frugal := chimw.NewGuard(token.NewVerifier[struct{}](n.ring, web), chimw.Config{Revocation: list})
	if resp := send(frugal.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusOK {
		t.Errorf("a guard that needs no data: %d", resp.StatusCode)
	}
	if h, err := call(bare, poor.Logout, newRequest("POST", withCookie(tok))); err != nil || !isCleared(h) {
		t.Errorf("logout: %v, %v", err, h)
	}
	if resp := send(frugal.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", resp.StatusCode)
	}
}
