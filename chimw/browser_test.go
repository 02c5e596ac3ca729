package chimw_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

// A route is a method and a path, a middleware or nil, and a handler.
type route struct {
	method, path string
	middleware   func(http.Handler) http.Handler
	handler      http.Handler
}

func (n *node) routes() []route {
	return []route{
		{"POST", "/login", nil, n.login()},
		{"GET", "/me", n.Require, hello},
		{"GET", "/home", n.Load, hello},
		{"POST", "/buy", n.Require, n.buy("pen")},
		{"POST", "/bare/buy", nil, n.buy("pen")},
		{"POST", "/elevate", n.Require, do(func(w http.ResponseWriter, r *http.Request) error { return n.Elevate(w, r, promote) })},
		{"POST", "/password", n.Require, do(func(w http.ResponseWriter, r *http.Request) error {
			return errors.Join(n.LogoutOthers(w, r), n.Reauthenticate(w, r, nil))
		})},
		{"POST", "/bearer", n.Require, hello},
		{"GET", "/money", n.RequireFresh(time.Minute), hello},
		{"POST", "/logout", nil, do(n.Logout)},
		{"POST", "/bare/logout", nil, do(n.Logout)},
		{"POST", "/everywhere", n.Require, do(n.LogoutEverywhere)},
	}
}

var routers = map[string]func([]route) http.Handler{
	"chi": func(routes []route) http.Handler {
		r := chi.NewRouter()
		for _, rt := range routes {
			if rt.middleware == nil {
				r.Method(rt.method, rt.path, rt.handler)
			} else {
				r.With(rt.middleware).Method(rt.method, rt.path, rt.handler)
			}
		}
		return r
	},
	"ServeMux": func(routes []route) http.Handler {
		mux := http.NewServeMux()
		for _, rt := range routes {
			h := rt.handler
			if rt.middleware != nil {
				h = rt.middleware(h)
			}
			mux.Handle(rt.method+" "+rt.path, h)
		}
		return mux
	},
}

// A browser has a cookie jar and talks to one server.
type browser struct {
	t      testing.TB
	client *http.Client
	base   string
}

func newBrowser(t testing.TB, s *httptest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := *s.Client()
	client.Jar = jar
	return &browser{t, &client, s.URL}
}

func (b *browser) get(path string) (status int, text string) {
	b.t.Helper()
	resp, err := b.client.Get(b.base + path)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, body(b.t, resp)
}

func (b *browser) post(path string, form url.Values) (status int, text string) {
	b.t.Helper()
	resp, err := b.client.PostForm(b.base+path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, body(b.t, resp)
}

// cookies returns what the jar sends to the server.
func (b *browser) cookies() []*http.Cookie {
	u, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.client.Jar.Cookies(u)
}

func (b *browser) setCookies(c []*http.Cookie) {
	u, _ := url.Parse(b.base)
	b.client.Jar.SetCookies(u, c)
}

// expect compares an answer.
func (b *browser) expect(doing string, status int, text string, wantStatus int, want string) {
	b.t.Helper()
	if status != wantStatus || text != want {
		b.t.Errorf("%s: %d %q, want %d %q", doing, status, text, wantStatus, want)
	}
}
