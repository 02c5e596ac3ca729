package main

import (
	"crypto/fips140"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// serve runs the site with a ring of its own, and returns a browser for it.
func serve(t *testing.T, f keys.Format) (client *http.Client, base *url.URL) {
	t.Helper()
	set, err := keys.NewSet(f, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewTLSServer(site(ring, new(revocation.Memory), chimw.Cookie{}))
	t.Cleanup(s.Close)
	base, _ = url.Parse(s.URL)
	client = s.Client()
	client.Jar, _ = cookiejar.New(nil)
	return client, base
}

func answer(t *testing.T, resp *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func TestSite(t *testing.T) {
	c, base := serve(t, keys.JWT)
	me := func(doing string, status int, want string) {
		t.Helper()
		resp, err := c.Get(base.String() + "/me")
		if got, text := answer(t, resp, err); got != status || text != want {
			t.Errorf("%s: %d %q", doing, got, text)
		}
	}
	me("a stranger", http.StatusUnauthorized, "Unauthorized\n")
	resp, err := c.PostForm(base.String()+"/login", url.Values{"name": {"alice"}})
	if _, text := answer(t, resp, err); text != "hello, alice, for the 1. time\n" {
		t.Errorf("after the login: %q", text)
	}
	me("again", http.StatusOK, "hello, alice, for the 2. time\n")
	stolen := c.Jar.Cookies(base)
	from, _ := http.NewRequest("POST", base.String()+"/logout", nil)
	from.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err = c.Do(from)
	if status, _ := answer(t, resp, err); status != http.StatusForbidden {
		t.Errorf("logout by the page of another site: %d", status)
	}
	resp, err = c.Post(base.String()+"/logout", "", nil)
	if status, _ := answer(t, resp, err); status != http.StatusOK {
		t.Errorf("logout: %d", status)
	}
	me("after the logout", http.StatusUnauthorized, "Unauthorized\n")
	c.Jar.SetCookies(base, stolen)
	me("with the old cookie", http.StatusUnauthorized, "Unauthorized\n")
}

// Whoever has the cookie has no name, whatever he decodes.
func TestACookieShowsNothing(t *testing.T) {
	formats := []keys.Format{keys.JWT}
	if !fips140.Enforced() { // which refuses PASETO
		formats = append(formats, keys.PASETO)
	}
	for _, f := range formats {
		c, base := serve(t, f)
		resp, err := c.PostForm(base.String()+"/login", url.Values{"name": {"alice"}})
		answer(t, resp, err)
		tok := c.Jar.Cookies(base)[0].Value
		seen := tok
		for part := range strings.SplitSeq(tok, ".") {
			b, _ := base64.RawURLEncoding.DecodeString(part)
			seen += string(b)
		}
		for _, secret := range []string{"alice", "Visits", "example.com", "web", "sid"} {
			if strings.Contains(seen, secret) {
				t.Errorf("%v: the cookie shows %q", f, secret)
			}
		}
	}
}

// As docs/getting-started.md shows it.
func TestOnePersonLogsIn(t *testing.T) {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewTLSServer(site(ring, new(revocation.Memory), chimw.Cookie{}))
	defer s.Close()
	client := s.Client()
	client.Jar, _ = cookiejar.New(nil)
	resp, err := client.PostForm(s.URL+"/login", url.Values{"name": {"alice"}})
	if _, text := answer(t, resp, err); text != "hello, alice, for the 1. time\n" {
		t.Errorf("%q", text)
	}

	sessions := chimw.New(token.NewIssuer[User](ring, token.Config{Issuer: "example.com", Audience: "web"}), chimw.Config{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := chimw.FromContext[User](r.Context())
		io.WriteString(w, s.Data().Name)
	})
	tok, _, err := sessions.Issue(t.Context(), "alice", User{Name: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "https://example.com/", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-session", Value: tok})
	w := httptest.NewRecorder()
	sessions.Require(handler).ServeHTTP(w, r)
	if w.Body.String() != "alice" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
