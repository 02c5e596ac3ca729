package chimw_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// As a browser sees it, through each router.
func TestLoginReadUpdateLogout(t *testing.T) {
	for name, router := range routers {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, chimw.Config{})
			server := httptest.NewTLSServer(router(n.routes()))
			defer server.Close()
			b := newBrowser(t, server)
			get := func(doing, path string, wantStatus int, want string) {
				t.Helper()
				status, text := b.get(path)
				b.expect(doing, status, text, wantStatus, want)
			}
			post := func(path string, form url.Values) {
				t.Helper()
				status, text := b.post(path, form)
				b.expect(path, status, text, http.StatusOK, "")
			}
			get("before the login", "/me", http.StatusUnauthorized, "Unauthorized\n")
			get("before the login", "/home", http.StatusOK, "hello, stranger")
			post("/login", url.Values{"name": {"Alice"}})
			get("logged in", "/me", http.StatusOK, "hello, Alice map[]")
			get("logged in", "/home", http.StatusOK, "hello, Alice map[]")
			post("/buy", nil)
			post("/bare/buy", nil)
			get("with two pens", "/me", http.StatusOK, "hello, Alice map[pen:2]")
			before := b.cookies()
			post("/elevate", nil)
			get("elevated", "/me", http.StatusOK, "hello, Admin map[pen:2]")
			elevated := b.cookies()
			b.setCookies(before)
			get("replayed from before the elevation", "/me", http.StatusUnauthorized, "Unauthorized\n")
			b.setCookies(elevated)
			post("/password", nil)
			get("after a change of the password", "/money", http.StatusOK, "hello, Admin map[pen:2]")
			stolen := b.cookies()
			post("/logout", nil)
			if left := b.cookies(); len(left) > 0 {
				t.Errorf("%d cookies left", len(left))
			}
			get("after the logout", "/me", http.StatusUnauthorized, "Unauthorized\n")
			b.setCookies(stolen)
			get("replayed", "/me", http.StatusUnauthorized, "Unauthorized\n")
			get("replayed", "/home", http.StatusOK, "hello, stranger")
			post("/login", url.Values{"name": {"Alice"}})
			get("logged in again", "/me", http.StatusOK, "hello, Alice map[]")
		})
	}
}

// What other sites' pages can make the browser do, through each router over TLS.
func TestOtherSitesOverTLS(t *testing.T) {
	for name, router := range routers {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, chimw.Config{Bearer: true})
			server := httptest.NewTLSServer(router(n.routes()))
			defer server.Close()
			b := newBrowser(t, server)
			b.post("/login", url.Values{"name": {"Alice"}})
			tok := b.cookies()[0].Value
			planted := cookieName + "=planted"
			good := cookieName + "=" + tok
			for what, tt := range map[string]struct {
				method, path string
				header       http.Header
				want         int
			}{
				"a form of this site":                 {"POST", "/buy", header("Cookie: "+good, "Origin: "+server.URL, "Sec-Fetch-Site: same-origin"), http.StatusOK},
				"an older browser":                    {"POST", "/buy", header("Cookie: "+good, "Origin: "+server.URL), http.StatusOK},
				"a form of another site":              {"POST", "/buy", header("Cookie: "+good, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"), http.StatusForbidden},
				"a form of a sibling":                 {"POST", "/buy", header("Cookie: "+good, "Sec-Fetch-Site: same-site"), http.StatusForbidden},
				"another site, an older browser":      {"POST", "/buy", header("Cookie: "+good, "Origin: https://evil.example"), http.StatusForbidden},
				"another site, on a bare route":       {"POST", "/bare/buy", header("Cookie: "+good, "Sec-Fetch-Site: cross-site"), http.StatusTeapot},
				"a logout by another site":            {"POST", "/logout", header("Cookie: "+good, "Sec-Fetch-Site: cross-site"), http.StatusTeapot},
				"a login by another site":             {"POST", "/login", header("Sec-Fetch-Site: cross-site"), http.StatusTeapot},
				"an elevation by another site":        {"POST", "/elevate", header("Cookie: "+good, "Sec-Fetch-Site: cross-site"), http.StatusForbidden},
				"a link on another site":              {"GET", "/me", header("Cookie: "+good, "Sec-Fetch-Site: cross-site"), http.StatusOK},
				"bearer, from another site":           {"GET", "/me", header("Authorization: Bearer "+tok, "Sec-Fetch-Site: cross-site"), http.StatusOK},
				"bearer, a POST from another site":    {"POST", "/bearer", header("Authorization: Bearer "+tok, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"), http.StatusOK},
				"a planted cookie after the good one": {"GET", "/me", header("Cookie: " + good + "; " + planted), http.StatusUnauthorized},
				"a planted cookie before it":          {"GET", "/me", header("Cookie: " + planted + "; " + good), http.StatusUnauthorized},
				"the good one twice":                  {"GET", "/me", header("Cookie: " + good + "; " + good), http.StatusUnauthorized},
			} {
				r, err := http.NewRequest(tt.method, server.URL+tt.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header = tt.header
				resp, err := server.Client().Do(r) // without the jar
				if err != nil {
					t.Fatal(err)
				}
				body(t, resp)
				if resp.StatusCode != tt.want || tt.want != http.StatusOK && len(ours(resp.Header)) > 0 {
					t.Errorf("%s: %d, want %d; cookies %q", what, resp.StatusCode, tt.want, ours(resp.Header))
				}
			}
			status, text := b.get("/me")
			b.expect("afterwards", status, text, http.StatusOK, "hello, Alice map[]")
		})
	}
}

func TestSetCookieToTheLetter(t *testing.T) {
	n := newNode(t, chimw.Config{})
	resp := send(do(func(w http.ResponseWriter, r *http.Request) error {
		return n.Login(w, r, "alice", user{Name: "Alice"})
	}), "POST", header())
	tok := set(t, resp.Header)
	want := []string{"__Host-session=" + tok + "; Path=/; HttpOnly; Secure; SameSite=Lax"}
	if got := resp.Header["Set-Cookie"]; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	resp = send(do(n.Logout), "POST", withCookie(tok))
	if got := resp.Header["Set-Cookie"]; !slices.Equal(got, []string{cleared}) {
		t.Errorf("got %q, want %q", got, cleared)
	}
	// Package net/http reads it as it was meant.
	c := http.Cookie{Name: "__Host-session", Value: tok, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode}
	if c.String() != want[0] {
		t.Errorf("package net/http writes %q", c.String())
	}
	c.Value, c.MaxAge = "", -1
	if c.String() != cleared {
		t.Errorf("package net/http writes %q", c.String())
	}
}

func TestLoginTakesThePreviousSessionBack(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	for name, sent := range map[string]func(tok string) http.Header{
		"cookie": withCookie,
		"bearer": func(tok string) http.Header { return header("Authorization: Bearer " + tok) },
	} {
		for where, m := range map[string]func(http.Handler) http.Handler{
			"bare":    func(h http.Handler) http.Handler { return h },
			"Load":    n.Load,
			"Require": n.Require,
		} {
			t.Run(name+" "+where, func(t *testing.T) {
				old, before := n.issue(t)
				var seen *token.Session[user]
				resp := send(m(do(func(w http.ResponseWriter, r *http.Request) error {
					err := n.Login(w, r, "alice", user{Name: "Alice"})
					seen, _ = chimw.FromContext[user](r.Context())
					return err
				})), "POST", sent(old))
				s, err := n.issuer.Verifier().Verify(set(t, resp.Header))
				if err != nil || s.SessionID == before.SessionID {
					t.Fatalf("the session id stayed, or %v", err)
				}
				if where != "bare" && (seen == nil || seen.SessionID != s.SessionID) {
					t.Error("the new session is not in the context")
				}
				if resp := send(n.Require(hello), "GET", withCookie(old)); resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("the old session is good: %d", resp.StatusCode)
				}
			})
		}
	}
}

// Nothing that a client sends can become the id of a session.
func TestLoginGoesOnWithoutAPreviousSession(t *testing.T) {
	n := newNode(t, chimw.Config{})
	for name, h := range map[string]http.Header{
		"nothing": header(), "garbage": withCookie("garbage"), "empty": withCookie(""),
		"over":           withCookie(seal(t, n.ring, claims(time.Now().Add(-13*time.Hour)))),
		"another ring's": withCookie(seal(t, newRing(t), claims(time.Now()))),
		"another cookie": header("Sec-Fetch-Site: same-origin", "Cookie: a=b"),
	} {
		n.list.revokes = 0
		resp := send(do(func(w http.ResponseWriter, r *http.Request) error {
			return n.Login(w, r, "alice", user{})
		}), "POST", h)
		s, err := n.issuer.Verifier().Verify(set(t, resp.Header))
		if err == nil && s.SessionID == claims(time.Now()).SessionID {
			err = errors.New("the session id was taken over")
		}
		if err != nil || n.list.revokes > 0 {
			t.Errorf("with %s: %v, %d marks", name, err, n.list.revokes)
		}
	}
}

// A session that was idle for too long may go on elsewhere.
func TestLoginEndsAnIdleSession(t *testing.T) {
	n := newNode(t, chimw.Config{})
	idle := claims(time.Now().Add(-time.Hour))
	resp := send(do(func(w http.ResponseWriter, r *http.Request) error {
		return n.Login(w, r, "alice", user{})
	}), "POST", withCookie(seal(t, n.ring, idle)))
	if got := status(n, set(t, resp.Header)); got != http.StatusOK {
		t.Errorf("the new session: %d", got)
	}
	if err := n.list.Check(t.Context(), idle); !errors.Is(err, revocation.ErrRevoked) {
		t.Errorf("the old session: %v", err)
	}
}

// A node whose clock is ahead has logged the user out everywhere. Who logs in after
// that is in, and out with the next such mark.
func TestLoginAfterAMarkThatLiesAhead(t *testing.T) {
	for name, axis := range map[string]func() revocation.Mark{
		"subject":  func() revocation.Mark { return revocation.Subject("alice", 0) },
		"audience": func() revocation.Mark { return revocation.Audience("web", 0) },
		"everyone": func() revocation.Mark { return revocation.Everyone(0) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, chimw.Config{})
				ahead := func(d time.Duration) {
					t.Helper()
					m := axis()
					m.At = time.Now().Add(d)
					if err := n.list.Revoke(t.Context(), m); err != nil {
						t.Fatal(err)
					}
				}
				login := func() string {
					t.Helper()
					h, err := call(n.Load, func(w http.ResponseWriter, r *http.Request) error {
						return n.Login(w, r, "alice", user{Name: "Alice"})
					}, newRequest("POST", header()))
					if err != nil {
						t.Fatal(err)
					}
					return set(t, h)
				}
				ahead(5 * time.Minute)
				time.Sleep(time.Second)
				tok := login()
				time.Sleep(time.Minute)
				if got := status(n, tok); got != http.StatusOK {
					t.Errorf("a login after the mark: %d", got)
				}
				if got := send(n.RequireFresh(time.Minute)(hello), "GET", withCookie(tok)).StatusCode; got != http.StatusUnauthorized {
					t.Errorf("it counts as a later login: %d", got)
				}
				ahead(5 * time.Minute)
				if got := status(n, tok); got != http.StatusUnauthorized {
					t.Errorf("after another mark: %d", got)
				}
				if got := status(n, login()); got != http.StatusOK {
					t.Errorf("a login after that: %d", got)
				}
				kiosk := n.Lasting(time.Minute, time.Minute)
				if _, _, err := kiosk.Issue(t.Context(), "alice", user{}); !errors.Is(err, revocation.ErrRevoked) {
					t.Errorf("a session that would be over before the moment of the mark: %v", err)
				}
			})
		})
	}
}

func TestLoginThatFailsWritesNothing(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	tok, _ := n.issue(t)
	large := user{Name: strings.Repeat("a", 5000)}
	for name, tt := range map[string]struct {
		method, subject string
		data            user
		header          http.Header
		down            error
		is              func(error) bool
	}{
		"too much data": {"POST", "alice", large, withCookie(tok), nil,
			func(err error) bool { var e *token.SizeError; return errors.As(err, &e) && e.Room > 1000 }},
		"no subject": {"POST", "", user{}, withCookie(tok), nil,
			func(err error) bool { return !errors.Is(err, token.ErrInvalid) }},
		"from another site": {"POST", "alice", user{}, header("Sec-Fetch-Site: cross-site"), nil,
			func(err error) bool { return errors.Is(err, chimw.ErrCrossOrigin) }},
		"from another site, with a bearer token": {"POST", "alice", user{}, header("Sec-Fetch-Site: cross-site", "Authorization: Bearer "+tok), nil,
			func(err error) bool { return errors.Is(err, chimw.ErrCrossOrigin) }},
		"two tokens": {"POST", "alice", user{}, withCookie(tok + "; " + cookieName + "=x"), nil,
			func(err error) bool { return errors.Is(err, chimw.ErrTwoTokens) }},
		"the list is away": {"POST", "alice", user{}, withCookie(tok), errDown,
			func(err error) bool { return errors.Is(err, errDown) && !errors.Is(err, token.ErrInvalid) }},
	} {
		t.Run(name, func(t *testing.T) {
			n.list.down = tt.down
			var err error
			resp := send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				err = n.Login(w, r, tt.subject, tt.data)
			}), tt.method, tt.header)
			if err == nil || !tt.is(err) || strings.Contains(err.Error(), "alice") {
				t.Errorf("got %v", err)
			}
			if len(resp.Header) > 0 {
				t.Errorf("headers: %v", resp.Header)
			}
			n.list.down = nil
			if resp := send(n.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusOK {
				t.Errorf("the session that was there is gone: %d", resp.StatusCode)
			}
		})
	}
}

func (brokenRing) Seal(token.Claims) (string, error) { return "", errDown }

func (discardBody) Write(p []byte) (int, error) { return len(p), nil }

func (discardBody) WriteHeader(int) {}
