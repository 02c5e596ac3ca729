package chimw_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

func TestUpdateWithoutAChangeSetsNothing(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, before := n.issue(t)
	resp := send(n.Require(do(func(w http.ResponseWriter, r *http.Request) error {
		defer func() {
			if s, _ := chimw.FromContext[user](r.Context()); s.ID != before.ID {
				t.Error("there is another session in the context")
			}
		}()
		return n.Update(w, r, func(u *user) { u.Name = "Al" + "ice"; u.Cart = map[string]int{} })
	})), "POST", withCookie(tok))
	if resp.StatusCode != http.StatusOK || len(ours(resp.Header)) > 0 {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
}

// On a route without a middleware nothing but the response knows what came
// before.
func TestCallsOfOneHandlerBuildOnEachOther(t *testing.T) {
	n := newNode(t, chimw.Config{})
	login, pen, ink, logout := n.login(), n.buy("pen"), n.buy("ink"), do(n.Logout)
	for name, tt := range map[string]struct {
		calls []http.Handler
		sent  bool   // a session
		want  string // the next request's answer
	}{
		"update, update":         {[]http.Handler{pen, ink}, true, "hello, Alice map[ink:1 pen:1]"},
		"login, update, update":  {[]http.Handler{login, pen, ink}, false, "hello, Bob map[ink:1 pen:1]"},
		"update, login, update":  {[]http.Handler{pen, login, ink}, true, "hello, Bob map[ink:1]"},
		"update, logout":         {[]http.Handler{pen, logout}, true, ""},
		"login, logout":          {[]http.Handler{login, logout}, false, ""},
		"logout, update":         {[]http.Handler{logout, pen}, true, ""},
		"logout, logout":         {[]http.Handler{logout, logout}, true, ""},
		"logout, update, update": {[]http.Handler{logout, pen, pen}, true, ""},
		"logout, login, update":  {[]http.Handler{logout, login, pen}, true, "hello, Bob map[pen:1]"},
		"everywhere, update":     {[]http.Handler{do(n.LogoutEverywhere), pen}, true, ""},
	} {
		for where, m := range map[string]func(http.Handler) http.Handler{
			"bare": func(h http.Handler) http.Handler { return h },
			"Load": n.Load,
		} {
			t.Run(name+" "+where, func(t *testing.T) {
				h, tok := header(), ""
				if tt.sent {
					tok, _ = n.issue(t)
					h = withCookie(tok)
				}
				var logins []string
				w := httptest.NewRecorder()
				r := newRequest("POST", h)
				r.PostForm = url.Values{"name": {"Bob"}}
				r.Form = r.PostForm
				m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for _, call := range tt.calls {
						call.ServeHTTP(discardBody{w}, r)
						logins = append(logins, ours(w.Header())...)
					}
					if _, ok := chimw.FromContext[user](r.Context()); where == "Load" && ok != (tt.want != "") {
						t.Errorf("a session in the context is %v", ok)
					}
				})).ServeHTTP(w, r)
				if tt.want == "" {
					if !isCleared(w.Header()) {
						t.Errorf("headers: %v", w.Header())
					}
				} else if got := body(t, send(n.Require(hello), "GET", withCookie(set(t, w.Header())))); got != tt.want {
					t.Errorf("got %q", got)
				}
				// Whatever was set before a logout is good no more.
				for _, l := range logins {
					tok, _, _ := strings.Cut(strings.TrimPrefix(l, cookieName+"="), ";")
					resp := send(n.Require(hello), "GET", withCookie(tok))
					if tt.want == "" && resp.StatusCode != http.StatusUnauthorized {
						t.Errorf("a token that was set on the way: %d", resp.StatusCode)
					}
				}
			})
		}
	}
}

func TestAfterALogoutThereIsNoToken(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := n.Logout(w, r); err != nil {
			t.Fatal(err)
		}
		if err := n.Update(w, r, func(*user) {}); !errors.Is(err, chimw.ErrNoToken) {
			t.Errorf("got %v", err)
		}
	}), "POST", withCookie(tok))
}

// discardBody lets several handlers share a response's headers.
type discardBody struct{ http.ResponseWriter }

func TestUpdateThatFailsChangesNothing(t *testing.T) {
	add := func(u *user) { u.Cart["pen"]++ }
	for name, tt := range map[string]struct {
		before func(n *node, s *token.Session[user])
		change func(u *user)
		is     func(error) bool
	}{
		"too much data": {nil, func(u *user) { add(u); u.Name = strings.Repeat("a", 5000) },
			func(err error) bool { var e *token.SizeError; return errors.As(err, &e) }},
		"revoked meanwhile": {func(n *node, s *token.Session[user]) { n.list.Revoke(t.Context(), revocation.Session(s.Claims)) }, add,
			func(err error) bool { return errors.Is(err, revocation.ErrRevoked) }},
		"the list is away": {func(n *node, _ *token.Session[user]) { n.list.down = errDown }, add,
			func(err error) bool { return errors.Is(err, errDown) && !errors.Is(err, token.ErrInvalid) }},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, chimw.Config{})
			tok, _, err := n.issuer.Issue("alice", user{"Alice", map[string]int{"pen": 1}})
			if err != nil {
				t.Fatal(err)
			}
			resp := send(n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s, _ := chimw.FromContext[user](r.Context())
				if tt.before != nil {
					tt.before(n, s)
				}
				if err := n.Update(w, r, tt.change); err == nil || !tt.is(err) {
					t.Errorf("got %v", err)
				}
				if now, _ := chimw.FromContext[user](r.Context()); now.Claims != s.Claims || s.Data().Name != "Alice" || s.Data().Cart["pen"] != 1 {
					t.Error("the session in the context changed")
				}
			})), "POST", withCookie(tok))
			if len(resp.Header["Set-Cookie"]) > 0 || resp.Header.Get("Cache-Control") != "" {
				t.Errorf("headers: %v", resp.Header)
			}
		})
	}
}

func TestUpdateNeedsASession(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	tok, _ := n.issue(t)
	for name, tt := range map[string]struct {
		header http.Header
		want   error
	}{
		"nothing":      {header(), chimw.ErrNoToken},
		"garbage":      {withCookie("garbage"), token.ErrInvalid},
		"two":          {withCookie(tok + "; " + cookieName + "=" + tok), chimw.ErrTwoTokens},
		"another site": {header("Cookie: "+cookieName+"="+tok, "Sec-Fetch-Site: cross-site"), chimw.ErrCrossOrigin},
	} {
		resp := send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			err := n.Update(w, r, func(*user) { t.Errorf("with %s: changed", name) })
			if !errors.Is(err, tt.want) {
				t.Errorf("with %s: %v", name, err)
			}
		}), "POST", tt.header)
		if len(resp.Header) > 0 {
			t.Errorf("with %s: %v", name, resp.Header)
		}
	}
	send(n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := n.Update(w, r, func(*user) { t.Error("changed") })
		if err == nil || errors.Is(err, token.ErrInvalid) || len(w.Header()["Set-Cookie"]) > 0 {
			t.Errorf("with a bearer token: %v", err)
		}
	})), "POST", header("Authorization: Bearer "+tok))
}
