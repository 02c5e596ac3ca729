package chimw_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
)

// What each setting writes, to the letter, and as package net/http would write it.
func TestSetCookieOfEachSetting(t *testing.T) {
	const lax, strict, none = http.SameSiteLaxMode, http.SameSiteStrictMode, http.SameSiteNoneMode
	for name, tt := range map[string]struct {
		cookie chimw.Cookie
		want   string // with TOKEN for the token
		same   http.Cookie
	}{
		"zero": {chimw.Cookie{}, "__Host-session=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax",
			http.Cookie{Name: "__Host-session", Secure: true, SameSite: lax}},
		"name": {chimw.Cookie{Name: "__Host-id"}, "__Host-id=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax",
			http.Cookie{Name: "__Host-id", Secure: true, SameSite: lax}},
		"strict": {chimw.Cookie{Strict: true}, "__Host-session=TOKEN; Path=/; HttpOnly; Secure; SameSite=Strict",
			http.Cookie{Name: "__Host-session", Secure: true, SameSite: strict}},
		"domain": {chimw.Cookie{Domain: "example.com"}, "__Secure-session=TOKEN; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax",
			http.Cookie{Name: "__Secure-session", Domain: "example.com", Secure: true, SameSite: lax}},
		"domain, name": {chimw.Cookie{Domain: "example.com", Name: "__Secure-id", Strict: true}, "__Secure-id=TOKEN; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Strict",
			http.Cookie{Name: "__Secure-id", Domain: "example.com", Secure: true, SameSite: strict}},
		"partitioned": {chimw.Cookie{Partitioned: true}, "__Host-session=TOKEN; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
			http.Cookie{Name: "__Host-session", Secure: true, SameSite: none, Partitioned: true}},
		"insecure": {chimw.Cookie{InsecureLocalhost: true}, "session=TOKEN; Path=/; HttpOnly; SameSite=Lax",
			http.Cookie{Name: "session", SameSite: lax}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, chimw.Config{Cookie: tt.cookie})
			r := newRequest("POST", header())
			r.Host = "localhost:8080"
			w := httptest.NewRecorder()
			if err := n.Login(w, r, "alice", user{Name: "Alice"}); err != nil {
				t.Fatal(err)
			}
			line := w.Header().Get("Set-Cookie")
			_, value, _ := strings.Cut(line, "=")
			tok, _, _ := strings.Cut(value, ";")
			if got := strings.Replace(line, tok, "TOKEN", 1); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			same := tt.same
			same.Value, same.Path, same.HttpOnly = "TOKEN", "/", true
			if got := same.String(); got != tt.want {
				t.Errorf("package net/http writes %s", got)
			}
			// The same attributes delete it, or the browser keeps it.
			r.Header = header("Cookie: " + same.Name + "=" + tok)
			w = httptest.NewRecorder()
			if err := n.Logout(w, r); err != nil {
				t.Fatal(err)
			}
			same.Value, same.MaxAge = "", -1
			if got := w.Header()["Set-Cookie"]; !slices.Equal(got, []string{same.String()}) {
				t.Errorf("cleared by %q, want %q", got, same.String())
			}
			if w.Header()["Clear-Site-Data"] != nil {
				t.Error("site data is cleared")
			}
		})
	}
}

// A session that may idle for more than a day has a cookie that outlives the
// browser, for as long as its token lives.
func TestTheCookieOfALongSession(t *testing.T) {
	n := newLongNode(t, chimw.Config{})
	maxAge := func(line string) string {
		_, rest, _ := strings.Cut(line, "; Max-Age=")
		age, _, _ := strings.Cut(rest, ";")
		return age
	}
	for _, tt := range []struct {
		idle, maxAge time.Duration
		first, last  string // Max-Age after the login, and of the last token
	}{
		{30 * time.Minute, 12 * hour, "", ""},
		{30 * time.Minute, 30 * day, "", ""},
		{day, 30 * day, "", "1800"}, // the last token tells nothing
		{day + time.Second, 30 * day, "86401", "1800"},
		{7 * day, 30 * day, "604800", "1800"},
		{30 * day, 30 * day, "2592000", "1800"},
	} {
		t.Run(fmt.Sprint(tt.idle, tt.maxAge), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				long := n.Lasting(tt.idle, tt.maxAge)
				resp := send(do(func(w http.ResponseWriter, r *http.Request) error {
					return long.Login(w, r, "alice", user{Name: "Alice"})
				}), "POST", header())
				line := ours(resp.Header)[0]
				if got := maxAge(line); got != tt.first {
					t.Errorf("after the login: %q, want %q", got, tt.first)
				}
				if want := "; SameSite=Lax"; !strings.HasSuffix(line, want) {
					t.Errorf("%s", line)
				}
				value, _, _ := strings.Cut(strings.TrimPrefix(line, cookieName+"="), ";")
				s, err := n.issuer.Verifier().Verify(value)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(tt.maxAge - 30*time.Minute)
				s.IssuedAt = time.Now()
				s.ExpiresAt = s.IssuedAt.Add(min(tt.idle, 30*time.Minute-time.Second))
				if tt.idle > 30*time.Minute {
					s.ExpiresAt = s.EndsAt
				}
				resp = send(n.buy("pen"), "POST", withCookie(seal(t, n.ring, s.Claims)))
				if got := maxAge(ours(resp.Header)[0]); got != tt.last {
					t.Errorf("in the end: %q, want %q", got, tt.last)
				}
			})
		})
	}
}

func TestClearSiteDataWhenAskedFor(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true, Cookie: chimw.Cookie{ClearSiteData: []string{"cache", "storage"}}})
	for name, method := range map[string]func(http.ResponseWriter, *http.Request) error{"Logout": n.Logout, "LogoutEverywhere": n.LogoutEverywhere} {
		tok, _ := n.issue(t)
		if h, err := call(bare, method, newRequest("POST", withCookie(tok))); err != nil || h.Get("Clear-Site-Data") != `"cache", "storage"` {
			t.Errorf("%s: %v, %v", name, err, h)
		}
		tok, _ = n.issue(t)
		n.list.down = errDown
		if h, err := call(bare, method, newRequest("POST", withCookie(tok))); err == nil || len(h) > 0 {
			t.Errorf("%s that failed: %v, %v", name, err, h)
		}
		n.list.down = nil
		if h, err := call(bare, method, newRequest("POST", header("Authorization: Bearer "+tok))); err != nil || len(h) > 0 {
			t.Errorf("%s of a bearer: %v, %v", name, err, h)
		}
	}
	tok, _ := n.issue(t)
	if h, err := call(bare, n.LogoutOthers, newRequest("POST", withCookie(tok))); err != nil || len(h) > 0 {
		t.Errorf("of the others: %v, %v", err, h)
	}
}

// Left on by mistake, it lets nobody in.
func TestInsecureLocalhostIsForLocalhost(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true, Cookie: chimw.Cookie{InsecureLocalhost: true}})
	tok, _ := n.issue(t)
	for host, local := range map[string]bool{
		"localhost": true, "localhost:8080": true, "app.localhost:8080": true, "127.0.0.1": true, "127.1.2.3:80": true, "[::1]:8080": true, "[::1]": true,
		"example.com": false, "localhost.example.com": false, "10.0.0.1:80": false, "notlocalhost": false, "": false, "127.0.0.1.example.com": false,
	} {
		for name, h := range map[string]http.Header{"cookie": header("Cookie: session=" + tok), "bearer": header("Authorization: Bearer " + tok)} {
			for _, m := range []func(http.Handler) http.Handler{n.Require, n.Load} {
				r := newRequest("GET", h)
				r.Host = host
				w := httptest.NewRecorder()
				m(hello).ServeHTTP(w, r)
				if want := map[bool]int{true: http.StatusOK, false: http.StatusServiceUnavailable}[local]; w.Code != want {
					t.Errorf("%q, %s: %d, want %d", host, name, w.Code, want)
				}
			}
		}
		for name, method := range map[string]func(w http.ResponseWriter, r *http.Request) error{
			"Login":  func(w http.ResponseWriter, r *http.Request) error { return n.Login(w, r, "bob", user{}) },
			"Logout": n.Logout,
		} {
			r := newRequest("POST", header())
			r.Host = host
			w := httptest.NewRecorder()
			if err := method(w, r); (err == nil) != local || !local && len(w.Header()) > 0 {
				t.Errorf("%q, %s: %v, %v", host, name, err, w.Header())
			}
		}
	}
}

// A plain http server on this machine, with a jar that keeps secure cookies from it.
func TestInsecureLocalhostWorksOverHTTP(t *testing.T) {
	n := newNode(t, chimw.Config{Cookie: chimw.Cookie{InsecureLocalhost: true}})
	server := httptest.NewServer(routers["ServeMux"](n.routes()))
	defer server.Close()
	b := newBrowser(t, server)
	b.post("/login", map[string][]string{"name": {"Alice"}})
	status, text := b.get("/me")
	b.expect("logged in", status, text, http.StatusOK, "hello, Alice map[]")
	b.post("/logout", nil)
	status, text = b.get("/me")
	b.expect("logged out", status, text, http.StatusUnauthorized, "Unauthorized\n")
}
