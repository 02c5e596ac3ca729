package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/sessions"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/docs/examples/migrate"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

func ignoreNoCookie(err error) error {
	if errors.Is(err, http.ErrNoCookie) {
		return nil
	}
	return err
}

type scsOld struct{ *scs.SessionManager }

func (o scsOld) load(r *http.Request) (context.Context, error) {
	c, err := r.Cookie(o.Cookie.Name)
	if err != nil {
		return nil, err
	}
	return o.Load(r.Context(), c.Value)
}

func (o scsOld) Find(r *http.Request) (u migrate.User, ok bool, err error) {
	ctx, err := o.load(r)
	if err != nil {
		return u, false, ignoreNoCookie(err)
	}
	u = migrate.User{ID: o.GetString(ctx, "id"), Name: o.GetString(ctx, "name")}
	return u, u.ID != "", nil
}

func (o scsOld) End(_ http.ResponseWriter, r *http.Request) error {
	ctx, err := o.load(r)
	if err != nil {
		return ignoreNoCookie(err)
	}
	return o.Destroy(ctx)
}

type gorillaOld struct{ sessions.Store }

func (o gorillaOld) Find(r *http.Request) (u migrate.User, ok bool, err error) {
	s, err := o.New(r, "session")
	if err != nil {
		return u, false, nil // sealed with other keys, or expired
	}
	u.ID, _ = s.Values["id"].(string)
	u.Name, _ = s.Values["name"].(string)
	return u, u.ID != "", nil
}

func (o gorillaOld) End(w http.ResponseWriter, r *http.Request) error {
	s, err := o.New(r, "session")
	if err != nil || s.IsNew {
		return nil
	}
	s.Options.MaxAge = -1
	return s.Save(r, w)
}

type askOld struct{ address string }

func (o askOld) ask(r *http.Request, method, path string) (*http.Response, error) {
	q, err := http.NewRequestWithContext(r.Context(), method, o.address+path, nil)
	if err != nil {
		return nil, err
	}
	if c, err := r.Cookie("SESSION"); err == nil {
		q.AddCookie(c)
	}
	return http.DefaultClient.Do(q)
}

func (o askOld) Find(r *http.Request) (u migrate.User, ok bool, err error) {
	if _, err := r.Cookie("SESSION"); err != nil {
		return u, false, nil
	}
	resp, err := o.ask(r, "GET", "/internal/whoami")
	if err != nil {
		return u, false, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		err = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&u)
		return u, u.ID != "", err
	case http.StatusUnauthorized:
		return u, false, nil
	}
	return u, false, fmt.Errorf("ask the old application: %s", resp.Status)
}

func (o askOld) End(_ http.ResponseWriter, r *http.Request) error {
	resp, err := o.ask(r, "POST", "/internal/logout")
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("ask the old application: %s", resp.Status)
	}
	return nil
}

// An oldSite is a way of having sessions, and how people log in there.
type oldSite struct {
	old   migrate.Old
	login http.Handler
}

func scsSite(*testing.T) oldSite {
	m := scs.New()
	return oldSite{scsOld{m}, m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m.Put(r.Context(), "id", "alice")
		m.Put(r.Context(), "name", "Alice")
	}))}
}

func gorillaSite(*testing.T) oldSite {
	store := sessions.NewCookieStore([]byte("thirty-two bytes of a secret key"))
	return oldSite{gorillaOld{store}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.New(r, "session")
		s.Values["id"], s.Values["name"] = "alice", "Alice"
		s.Save(r, w)
	})}
}

func springSite(t *testing.T) oldSite {
	var ended atomic.Bool
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("SESSION")
		switch {
		case err != nil || c.Value != "c2Vzc2lvbg" || ended.Load():
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/internal/logout":
			ended.Store(true)
		default:
			fmt.Fprint(w, `{"ID":"alice","Name":"Alice"}`)
		}
	}))
	t.Cleanup(app.Close)
	return oldSite{askOld{app.URL}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "SESSION", Value: "c2Vzc2lvbg", Path: "/"})
	})}
}

func TestLeavingASessionStore(t *testing.T) {
	for name, site := range map[string]func(*testing.T) oldSite{"scs": scsSite, "gorilla": gorillaSite, "Spring": springSite} {
		t.Run(name, func(t *testing.T) {
			old := site(t)
			_, ring := newSet(t, keys.JWT)
			sessions := chimw.New(token.NewIssuer[migrate.User](ring, config), chimw.Config{})
			bridge := &migrate.Bridge{Sessions: sessions, Old: old.old}
			me := func(w http.ResponseWriter, r *http.Request) {
				s, _ := chimw.FromContext[migrate.User](r.Context())
				io.WriteString(w, s.Subject+" "+s.Data().Name)
			}
			mux := http.NewServeMux()
			mux.Handle("POST /old/login", old.login)
			// Step 1.
			mux.Handle("GET /whoami", sessions.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				u, ok, err := bridge.User(r)
				switch {
				case err != nil:
					http.Error(w, "try again", http.StatusServiceUnavailable)
				case !ok:
					http.Error(w, "Unauthorized", http.StatusUnauthorized)
				default:
					fmt.Fprintln(w, "hello,", u.Name)
				}
			})))
			mux.Handle("GET /me", bridge.Load(sessions.Require(http.HandlerFunc(me))))
			mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
				if err := bridge.Logout(w, r); err != nil {
					http.Error(w, "try again", http.StatusServiceUnavailable)
				}
			})
			server := httptest.NewTLSServer(mux)
			defer server.Close()
			jar, _ := cookiejar.New(nil)
			client := *server.Client()
			client.Jar = jar
			base, _ := url.Parse(server.URL)
			get := func(path, doing string, status int, text string) {
				t.Helper()
				resp, err := client.Get(server.URL + path)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				b, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != status || status == http.StatusOK && string(b) != text {
					t.Errorf("%s: %d %q", doing, resp.StatusCode, b)
				}
			}
			see := func(doing string, status int, text string) { t.Helper(); get("/me", doing, status, text) }
			post := func(path string) {
				t.Helper()
				resp, err := client.Post(server.URL+path, "", nil)
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatal(path, err, resp)
				}
				resp.Body.Close()
			}
			see("a stranger", http.StatusUnauthorized, "")
			post("/old/login")
			before := jar.Cookies(base)
			get("/whoami", "step 1, with the old session", http.StatusOK, "hello, Alice\n")
			if len(jar.Cookies(base)) != 1 {
				t.Error("step 1 takes over")
			}
			see("with the old session", http.StatusOK, "alice Alice")
			if len(jar.Cookies(base)) != 2 {
				t.Fatalf("%d cookies", len(jar.Cookies(base)))
			}
			both := jar.Cookies(base)
			// A request at the same time, or whose response got lost.
			client.Jar, _ = cookiejar.New(nil)
			client.Jar.SetCookies(base, before)
			see("with the old session once more", http.StatusOK, "alice Alice")
			// The new one alone is enough.
			jar, _ = cookiejar.New(nil)
			client.Jar = jar
			for _, c := range both {
				if c.Name == "__Host-session" {
					c.Path, c.Secure = "/", true
					jar.SetCookies(base, []*http.Cookie{c})
				}
			}
			see("with the new session", http.StatusOK, "alice Alice")
			get("/whoami", "step 1, with the new session", http.StatusOK, "hello, Alice\n")
			jar.SetCookies(base, before)
			post("/logout")
			see("after the logout", http.StatusUnauthorized, "")
			get("/whoami", "step 1, after the logout", http.StatusUnauthorized, "")
			if name == "gorilla" {
				return // the page says so
			}
			client.Jar, _ = cookiejar.New(nil)
			client.Jar.SetCookies(base, before)
			see("with the old cookie after the logout", http.StatusUnauthorized, "")
		})
	}
}

// A store that is away logs nobody out, and lets nobody in.
func TestLeavingAStoreThatIsAway(t *testing.T) {
	_, ring := newSet(t, keys.JWT)
	sessions := chimw.New(token.NewIssuer[migrate.User](ring, config), chimw.Config{})
	bridge := &migrate.Bridge{Sessions: sessions, Old: askOld{"http://127.0.0.1:1"}}
	h := bridge.Load(sessions.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	tok, _, err := token.NewIssuer[migrate.User](ring, config).Issue("alice", migrate.User{})
	if err != nil {
		t.Fatal(err)
	}
	for cookie, want := range map[string]int{
		"SESSION=c2Vzc2lvbg":    http.StatusServiceUnavailable,
		"__Host-session=" + tok: http.StatusOK,
		"":                      http.StatusUnauthorized,
	} {
		r := httptest.NewRequest("GET", "https://example.com/me", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || len(w.Result().Cookies()) > 0 {
			t.Errorf("%.10s: %d, want %d", cookie, w.Code, want)
		}
	}
}

// A page of another site can't have anybody taken over.
func TestTakingOverForAnotherSite(t *testing.T) {
	_, ring := newSet(t, keys.JWT)
	site := springSite(t)
	sessions := chimw.New(token.NewIssuer[migrate.User](ring, config), chimw.Config{})
	bridge := &migrate.Bridge{Sessions: sessions, Old: site.old}
	h := bridge.Load(sessions.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	for from, want := range map[string]int{"same-origin": http.StatusOK, "cross-site": http.StatusForbidden} {
		r := httptest.NewRequest("POST", "https://example.com/me", nil)
		r.Header.Set("Cookie", "SESSION=c2Vzc2lvbg")
		r.Header.Set("Sec-Fetch-Site", from)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || len(w.Result().Cookies()) > 0 != (want == http.StatusOK) {
			t.Errorf("%s: %d, want %d", from, w.Code, want)
		}
	}
}
