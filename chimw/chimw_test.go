package chimw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

const cookieName = "__Host-session"

type user struct {
	Name string
	Cart map[string]int `json:",omitempty"`
}

var web = token.Config{Issuer: "example.com", Audience: "web"}

func newRing(t testing.TB) *keys.Ring {
	t.Helper()
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// A spyList counts what a list is asked, and can be out of order.
type spyList struct {
	revocation.List
	mu      sync.Mutex
	checks  int
	revokes int
	down    error // what it answers instead
}

func newSpyList() *spyList { return &spyList{List: new(revocation.Memory)} }

func (l *spyList) Check(ctx context.Context, c token.Claims) error {
	l.mu.Lock()
	l.checks++
	l.mu.Unlock()
	if l.down != nil {
		return l.down
	}
	return l.List.Check(ctx, c)
}

func (l *spyList) Revoke(ctx context.Context, m ...revocation.Mark) error {
	if l.revokes++; l.down != nil {
		return l.down
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.List.Revoke(ctx, m...)
}

var errDown = errors.New("the list is away")

// A node is one server's sessions, with all that there is to look into.
type node struct {
	*chimw.Sessions[user]
	ring   *keys.Ring
	issuer *token.Issuer[user]
	list   *spyList

	mu      sync.Mutex
	reasons []error // what was reported
}

func newNode(t testing.TB, c chimw.Config) *node {
	t.Helper()
	n := &node{ring: newRing(t), list: newSpyList()}
	n.issuer = token.NewIssuer[user](n.ring, web)
	if c.Revocation == nil {
		c.Revocation = n.list
	}
	c.Report = func(r *http.Request, err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.reasons = append(n.reasons, err)
	}
	n.Sessions = chimw.New(n.issuer, c)
	return n
}

// issue mints a token of a new session of alice.
func (n *node) issue(t testing.TB) (string, *token.Session[user]) {
	t.Helper()
	tok, s, err := n.issuer.Issue("alice", user{Name: "Alice"})
	if err != nil {
		t.Fatal(err)
	}
	return tok, s
}

// header makes headers from "Name: value" lines.
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

func withCookie(tok string) http.Header { return header("Cookie: " + cookieName + "=" + tok) }

func newRequest(method string, h http.Header) *http.Request {
	r := httptest.NewRequest(method, "https://example.com/", nil)
	r.Header = h
	return r
}

// send has h answer a request.
func send(h http.Handler, method string, header http.Header) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newRequest(method, header))
	return w.Result()
}

func body(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ours returns the lines of a response that set or clear the session cookie.
func ours(h http.Header) []string {
	return slices.DeleteFunc(slices.Clone(h["Set-Cookie"]), func(l string) bool {
		return !strings.HasPrefix(l, cookieName+"=")
	})
}

// set returns the token that a response sets. It wants exactly one.
func set(t testing.TB, h http.Header) string {
	t.Helper()
	lines := ours(h)
	if len(lines) != 1 {
		t.Fatalf("%d cookies of our name are set", len(lines))
	}
	value, attributes, _ := strings.Cut(strings.TrimPrefix(lines[0], cookieName+"="), ";")
	if value == "" || strings.Contains(attributes, "Max-Age=0") {
		t.Fatalf("the cookie is cleared: %s", lines[0])
	}
	if got := h.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a response that sets the cookie has Cache-Control %q", got)
	}
	return value
}

const cleared = cookieName + "=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"

func isCleared(h http.Header) bool {
	return slices.Equal(ours(h), []string{cleared}) && h.Get("Cache-Control") == "no-store"
}

// hello greets whoever is logged in.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	s, ok := chimw.FromContext[user](r.Context())
	if !ok {
		io.WriteString(w, "hello, stranger")
		return
	}
	fmt.Fprintf(w, "hello, %s %v", s.Data().Name, s.Data().Cart)
})

// do answers with what a call on the sessions returned.
func do(call func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := call(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
		}
	})
}

func (n *node) login() http.Handler {
	return do(func(w http.ResponseWriter, r *http.Request) error {
		name := r.PostFormValue("name")
		return n.Login(w, r, strings.ToLower(name), user{Name: name})
	})
}

func (n *node) buy(what string) http.Handler {
	return do(func(w http.ResponseWriter, r *http.Request) error {
		return n.Update(w, r, func(u *user) {
			if u.Cart == nil {
				u.Cart = map[string]int{}
			}
			u.Cart[what]++
		})
	})
}

// claims are what the issuer of a node would mint at that time.
func claims(at time.Time) token.Claims {
	return token.Claims{
		Binding:   token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		ID:        strings.Repeat("i", 22),
		SessionID: strings.Repeat("s", 22),
		Subject:   "alice",
		StartedAt: at.Truncate(time.Second),
		IssuedAt:  at.Truncate(time.Second),
		ExpiresAt: at.Truncate(time.Second).Add(30 * time.Minute),
		EndsAt:    at.Truncate(time.Second).Add(12 * time.Hour),
		Raw:       `{"Name":"Alice"}`,
	}
}

func seal(t testing.TB, s token.Sealer, c token.Claims) string {
	t.Helper()
	tok, err := s.Seal(c)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
