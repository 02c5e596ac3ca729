package chimw_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

func promote(u *user) { u.Name = "Admin" }

// succeeded has a node elevate the session of a token, and returns the new one.
func succeeded(t testing.TB, n *node, tok string) (string, *token.Session[user]) {
	t.Helper()
	h, err := call(n.Require, func(w http.ResponseWriter, r *http.Request) error { return n.Elevate(w, r, promote) },
		newRequest("POST", withCookie(tok)))
	if err != nil {
		t.Fatal(err)
	}
	next := set(t, h)
	s, err := n.issuer.Verifier().Verify(next)
	if err != nil {
		t.Fatal(err)
	}
	return next, s
}

func status(n *node, tok string) int {
	return send(n.Guard.Require(hello), "GET", withCookie(tok)).StatusCode
}

func TestElevate(t *testing.T) {
	n := newNode(t, chimw.Config{})
	for name, tt := range map[string]struct {
		call func(http.ResponseWriter, *http.Request) error
		want string
		anew bool // the user counts as authenticated anew
	}{
		"Elevate":                {func(w http.ResponseWriter, r *http.Request) error { return n.Elevate(w, r, promote) }, "Admin", false},
		"Elevate, no change":     {func(w http.ResponseWriter, r *http.Request) error { return n.Elevate(w, r, nil) }, "Alice", false},
		"Reauthenticate":         {func(w http.ResponseWriter, r *http.Request) error { return n.Reauthenticate(w, r, promote) }, "Admin", true},
		"Reauthenticate, as was": {func(w http.ResponseWriter, r *http.Request) error { return n.Reauthenticate(w, r, nil) }, "Alice", true},
	} {
		for where, m := range map[string]func(http.Handler) http.Handler{"bare": bare, "Require": n.Require, "Load": n.Load} {
			t.Run(name+" "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					tok, before := n.issue(t)
					time.Sleep(10 * time.Minute)
					h, err := call(m, func(w http.ResponseWriter, r *http.Request) error {
						err := tt.call(w, r)
						if s, ok := chimw.FromContext[user](r.Context()); ok != (where != "bare") || ok && (s.Data().Name != tt.want || s.SessionID == before.SessionID) {
							t.Error("the context has another session")
						}
						return err
					}, newRequest("POST", withCookie(tok)))
					if err != nil {
						t.Fatal(err)
					}
					next := set(t, h)
					s, err := n.issuer.Verifier().Verify(next)
					if err != nil {
						t.Fatal(err)
					}
					if s.SessionID == before.SessionID || s.ID == before.ID || len(s.SessionID) < 22 {
						t.Errorf("the session id is %q after %q", s.SessionID, before.SessionID)
					}
					if s.StartedAt != before.StartedAt || s.EndsAt != before.EndsAt || s.Subject != before.Subject || s.Data().Name != tt.want {
						t.Error("more changed than was to change")
					}
					if anew := s.AuthenticatedAt.Equal(time.Now().Truncate(time.Second)); anew != tt.anew || !anew && !s.AuthenticatedAt.IsZero() {
						t.Errorf("authenticated at %v", s.AuthenticatedAt)
					}
					fresh := send(n.RequireFresh(5*time.Minute)(hello), "GET", withCookie(next)).StatusCode
					if want := map[bool]int{true: http.StatusOK, false: http.StatusUnauthorized}[tt.anew]; fresh != want {
						t.Errorf("fresh: %d, want %d", fresh, want)
					}
					if old, now := status(n, tok), status(n, next); old != http.StatusUnauthorized || now != http.StatusOK {
						t.Errorf("the old session: %d, the new one: %d", old, now)
					}
				})
			})
		}
	}
}

func TestElevateThatFailsChangesNothing(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	tok, _ := n.issue(t)
	grow := func(u *user) { u.Name = strings.Repeat("a", 5000) }
	for name, tt := range map[string]struct {
		header http.Header
		change func(*user)
		down   error
		is     func(error) bool
	}{
		"nothing":       {header(), promote, nil, func(err error) bool { return errors.Is(err, chimw.ErrNoToken) }},
		"garbage":       {withCookie("garbage"), promote, nil, func(err error) bool { return errors.Is(err, token.ErrInvalid) }},
		"another site":  {header("Cookie: "+cookieName+"="+tok, "Sec-Fetch-Site: cross-site"), promote, nil, func(err error) bool { return errors.Is(err, chimw.ErrCrossOrigin) }},
		"bearer":        {header("Authorization: Bearer " + tok), promote, nil, func(err error) bool { return err != nil && !errors.Is(err, token.ErrInvalid) }},
		"too much data": {withCookie(tok), grow, nil, func(err error) bool { var e *token.SizeError; return errors.As(err, &e) }},
		"list away":     {withCookie(tok), promote, errDown, func(err error) bool { return errors.Is(err, errDown) && !errors.Is(err, token.ErrInvalid) }},
	} {
		for _, method := range []func(http.ResponseWriter, *http.Request, func(*user)) error{n.Elevate, n.Reauthenticate} {
			n.list.down, n.list.revokes = tt.down, 0
			w := httptest.NewRecorder()
			err := method(w, newRequest("POST", tt.header), tt.change)
			if !tt.is(err) || len(w.Header()) > 0 || n.list.revokes > 0 {
				t.Errorf("%s: %v, %v, %d marks", name, err, w.Header(), n.list.revokes)
			}
		}
	}
	n.list.down = nil
	if got := status(n, tok); got != http.StatusOK {
		t.Errorf("the session: %d", got)
	}
	// The mark of the old session was not stored.
	full := &revocation.Memory{Max: 1}
	other := chimw.New(n.issuer, chimw.Config{Revocation: full})
	gone, _ := n.issue(t)
	for _, tt := range []struct {
		tok  string
		want error
	}{{gone, nil}, {tok, revocation.ErrFull}} {
		w := httptest.NewRecorder()
		if err := other.Elevate(w, newRequest("POST", withCookie(tt.tok)), promote); !errors.Is(err, tt.want) || err != nil && len(w.Header()) > 0 {
			t.Errorf("%v, %v", err, w.Header())
		}
	}
}

// A change of rights keeps what a newer program wrote.
func TestElevateKeepsUnknownMembers(t *testing.T) {
	n := newNode(t, chimw.Config{})
	c := claims(time.Now())
	c.Raw = `{"Name":"Alice","new":9007199254740993}`
	_, s := succeeded(t, n, seal(t, n.ring, c))
	if got := s.Raw; got != `{"Name":"Admin","new":9007199254740993}` {
		t.Errorf("the data is %s", got)
	}
}

func TestLogoutOthers(t *testing.T) {
	n := newNode(t, chimw.Config{})
	issue := func(subject string) string {
		tok, _, err := n.issuer.Issue(subject, user{Name: "Alice"})
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	for where, m := range map[string]func(http.Handler) http.Handler{"bare": bare, "Require": n.Require, "Guard": n.Guard.Load} {
		synctest.Test(t, func(t *testing.T) {
			n.list.List = new(revocation.Memory)
			phone, here, bob := issue("alice"), issue("alice"), issue("bob")
			time.Sleep(time.Second)
			h, err := call(m, n.LogoutOthers, newRequest("POST", withCookie(here)))
			if err != nil || len(ours(h)) > 0 {
				t.Fatalf("%s: %v, %v", where, err, h)
			}
			later := issue("alice")
			for name, tt := range map[string]struct {
				tok  string
				want int
			}{"this one": {here, 200}, "another one": {phone, 401}, "a later one": {later, 200}, "somebody else's": {bob, 200}} {
				if got := status(n, tt.tok); got != tt.want {
					t.Errorf("%s, %s: %d, want %d", where, name, got, tt.want)
				}
			}
		})
	}
	for name, tt := range refusals(t, n) {
		n.list.revokes = 0
		h, err := call(bare, n.LogoutOthers, newRequest("POST", tt.header))
		if !errors.Is(err, tt.reason) || len(h) > 0 || n.list.revokes > 0 {
			t.Errorf("%s: %v, %v, %d marks", name, err, h, n.list.revokes)
		}
	}
}

// The session that was spared by name has another name afterwards, and must not be
// logged out by its own "log out all others". What comes later still covers it, and
// it does not count as a new login. The list may not know any more whom it spared.
func TestElevateAfterLogoutOthers(t *testing.T) {
	n := newNode(t, chimw.Config{})
	n.list.List = forgetful{n.list.List}
	synctest.Test(t, func(t *testing.T) {
		tok, first := n.issue(t)
		for range 3 {
			time.Sleep(2 * time.Minute)
			if _, err := call(n.Require, n.LogoutOthers, newRequest("POST", withCookie(tok))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			tok, _ = succeeded(t, n, tok)
		}
		s, err := n.issuer.Verifier().Verify(tok)
		if err != nil || s.EndsAt != first.EndsAt {
			t.Fatalf("%v, or the end moved", err)
		}
		if got := send(n.RequireFresh(5*time.Minute)(hello), "GET", withCookie(tok)).StatusCode; got != http.StatusUnauthorized {
			t.Errorf("it counts as a new login: %d", got)
		}
		if got := status(n, tok); got != http.StatusOK {
			t.Errorf("the session: %d", got)
		}
		if err := n.list.Revoke(t.Context(), revocation.Subject("alice", 0)); err != nil {
			t.Fatal(err)
		}
		if got := status(n, tok); got != http.StatusUnauthorized {
			t.Errorf("logged out everywhere: %d", got)
		}
	})
}

// A forgetful list says of a mark what it is on, and when it was made.
type forgetful struct{ revocation.List }

func (l forgetful) Check(ctx context.Context, c token.Claims) error {
	err := l.List.Check(ctx, c)
	var revoked *revocation.RevokedError
	if !errors.As(err, &revoked) {
		return err
	}
	return &revocation.RevokedError{Mark: revocation.Mark{Axis: revoked.Mark.Axis, At: revoked.Mark.At, Until: revoked.Mark.Until}}
}

// A visitor's session is one of another kind, with a cookie of its own: nobody is
// logged in by it. What becomes of it at the login is for the program to say.
func TestAVisitorLogsIn(t *testing.T) {
	type visitor struct{ Cart map[string]int }
	n := newNode(t, chimw.Config{})
	visits := token.NewIssuer[visitor](n.ring, token.Config{Issuer: "example.com", Audience: "visitors"})
	visitors := chimw.New(visits, chimw.Config{Revocation: n.list, Cookie: chimw.Cookie{Name: "__Host-visitor"}})
	for name, keep := range map[string]bool{"kept": true, "not kept": false} {
		t.Run(name, func(t *testing.T) {
			visit := send(do(func(w http.ResponseWriter, r *http.Request) error {
				return visitors.Login(w, r, "visitor:1", visitor{map[string]int{"pen": 1}})
			}), "POST", header())
			cookie, _, _ := strings.Cut(visit.Header.Get("Set-Cookie"), ";")
			if got := send(n.Require(hello), "GET", header("Cookie: "+cookie)).StatusCode; got != http.StatusUnauthorized {
				t.Errorf("a visitor is let in: %d", got)
			}
			planted := strings.Replace(cookie, "__Host-visitor", cookieName, 1)
			if got := send(n.Require(hello), "GET", header("Cookie: "+planted)).StatusCode; got != http.StatusUnauthorized {
				t.Errorf("a visitor with the cookie renamed is let in: %d", got)
			}
			login := send(visitors.Load(do(func(w http.ResponseWriter, r *http.Request) error {
				u := user{Name: "Alice"}
				if v, ok := chimw.FromContext[visitor](r.Context()); ok && keep {
					u.Cart = v.Data().Cart
				}
				return errors.Join(visitors.Logout(w, r), n.Login(w, r, "alice", u))
			})), "POST", header("Cookie: "+cookie))
			want := map[bool]string{true: "hello, Alice map[pen:1]", false: "hello, Alice map[]"}[keep]
			if got := body(t, send(n.Require(hello), "GET", withCookie(set(t, login.Header)))); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := send(visitors.Require(hello), "GET", header("Cookie: "+cookie)).StatusCode; got != http.StatusUnauthorized {
				t.Errorf("the visit goes on: %d", got)
			}
		})
	}
}

// A handler that confirms the user and gives him rights begins one session, which a
// logout that overtakes the response knows the id of.
func TestALogoutOvertakesSeveralChanges(t *testing.T) {
	for name, m := range map[string]func(*node) func(http.Handler) http.Handler{
		"bare":    func(*node) func(http.Handler) http.Handler { return bare },
		"Require": func(n *node) func(http.Handler) http.Handler { return n.Require },
		"Load":    func(n *node) func(http.Handler) http.Handler { return n.Load },
	} {
		for _, logout := range []bool{true, false} {
			n := newNode(t, chimw.Config{})
			tok, before := n.issue(t)
			h, err := call(m(n), func(w http.ResponseWriter, r *http.Request) error {
				errs := []error{
					n.Update(w, r, func(u *user) { u.Cart = map[string]int{"tea": 1} }),
					n.Reauthenticate(w, r, nil), n.Elevate(w, r, promote), n.Elevate(w, r, nil),
				}
				if logout {
					_, err := call(bare, n.Logout, newRequest("POST", withCookie(tok)))
					errs = append(errs, err)
				}
				return errors.Join(errs...)
			}, newRequest("POST", withCookie(tok)))
			if err != nil {
				t.Fatal(err)
			}
			next := set(t, h)
			s, err := n.issuer.Verifier().Verify(next)
			if err != nil || s.SessionID != before.Successor() || s.Data().Name != "Admin" || s.Data().Cart["tea"] != 1 || s.AuthenticatedAt.IsZero() {
				t.Errorf("%s: %v, or not what was changed", name, err)
			}
			want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusOK}[logout]
			if old, now := status(n, tok), status(n, next); old != http.StatusUnauthorized || now != want {
				t.Errorf("%s, logged out %v: the old session %d, the new one %d", name, logout, old, now)
			}
		}
	}
}

func TestElevateAfterLoginKeepsTheId(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	for where, m := range map[string]func(http.Handler) http.Handler{"bare": bare, "Load": n.Load} {
		for name, sent := range map[string]http.Header{"a stranger": header(), "garbage": withCookie("garbage"), "a user": withCookie(tok)} {
			var first string
			h, err := call(m, func(w http.ResponseWriter, r *http.Request) error {
				err := n.Login(w, r, "alice", user{Name: "Alice"})
				first = set(t, w.Header())
				return errors.Join(err, n.Elevate(w, r, promote))
			}, newRequest("POST", sent))
			if err != nil {
				t.Fatal(err)
			}
			a, err1 := n.issuer.Verifier().Verify(first)
			b, err2 := n.issuer.Verifier().Verify(set(t, h))
			if err1 != nil || err2 != nil || a.SessionID != b.SessionID || b.Data().Name != "Admin" || status(n, set(t, h)) != http.StatusOK {
				t.Errorf("%s, %s: %v, %v, or another id", where, name, err1, err2)
			}
			if name == "a user" && status(n, tok) == http.StatusOK {
				t.Errorf("%s: the old session is still good", where)
			}
		}
	}
}
