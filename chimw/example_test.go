package chimw_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/latest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

type User struct{ Name string } // what a session carries

func ExampleNew() {
	ring, err := newMemoryRing() // keys.Open("ring.json")
	if err != nil {
		log.Fatal(err)
	}
	issuer := token.NewIssuer[User](ring, token.Config{Issuer: "example.com", Audience: "web"})
	denied := new(revocation.Memory)
	sessions := chimw.New(issuer, chimw.Config{Revocation: denied})

	r := chi.NewRouter()
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		name := r.PostFormValue("name") // check the password here
		if err := sessions.Login(w, r, name, User{Name: name}); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})
	r.With(sessions.Require).Get("/me", func(w http.ResponseWriter, r *http.Request) {
		s, _ := chimw.FromContext[User](r.Context())
		fmt.Fprintf(w, "hello, %s\n", s.Data().Name)
	})
	r.Post("/logout", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Logout(w, r); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})

	browse(r, "GET /me", "POST /login", "GET /me", "POST /logout", "GET /me")
	// Output:
	// GET /me 401 Unauthorized
	// POST /login 200
	// GET /me 200 hello, alice
	// POST /logout 200
	// GET /me 401 Unauthorized
}

// Another node holds no signing key and can't be made to mint.
func ExampleNewGuard() {
	ring, err := newMemoryRing() // keys.OpenVerifyOnly("verify.json")
	if err != nil {
		log.Fatal(err)
	}
	verifier := token.NewVerifier[User](ring, token.Config{Issuer: "example.com", Audience: "web"})
	guard := chimw.NewGuard(verifier, chimw.Config{Report: func(r *http.Request, err error) {
		fmt.Println("refused:", err)
	}})

	r := chi.NewRouter()
	r.Use(guard.Require)
	r.Get("/me", func(w http.ResponseWriter, r *http.Request) {
		s, _ := chimw.FromContext[User](r.Context())
		fmt.Fprintf(w, "hello, %s\n", s.Data().Name)
	})

	browse(r, "GET /me")
	// Output:
	// refused: invalid token: the request has none
	// GET /me 401 Unauthorized
}

// Sessions that last longer for who wants to be remembered, and shorter at a kiosk.
func ExampleSessions_Lasting() {
	ring, err := newMemoryRing()
	if err != nil {
		log.Fatal(err)
	}
	denied := new(revocation.Memory)
	config := token.Config{Issuer: "example.com", Audience: "web", MaxAge: 30 * 24 * time.Hour}
	sessions := chimw.New(token.NewIssuer[User](ring, config), chimw.Config{Revocation: denied})

	office := sessions.Lasting(30*time.Minute, 12*time.Hour)
	remember := sessions.Lasting(7*24*time.Hour, 30*24*time.Hour)
	kiosk := sessions.Lasting(10*time.Minute, 10*time.Minute) // ends, whatever happens

	for _, s := range []*chimw.Sessions[User]{office, remember, kiosk} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "https://example.com/login", nil)
		if err := s.Login(w, r, "alice", User{Name: "Alice"}); err != nil {
			log.Fatal(err)
		}
		fmt.Println("outlives the browser:", w.Result().Cookies()[0].MaxAge > 0)
	}
	// Output:
	// outlives the browser: false
	// outlives the browser: true
	// outlives the browser: false
}

// What must not be done with an older cookie: a voucher is spent once, though the cookie
// from before is sent again.
func ExampleGuard_RequireLatest() {
	ring, err := newMemoryRing()
	if err != nil {
		log.Fatal(err)
	}
	type wallet struct{ Vouchers int }
	issuer := token.NewIssuer[wallet](ring, token.Config{Issuer: "example.com", Audience: "web"})
	sessions := chimw.New(issuer, chimw.Config{Revocation: new(revocation.Memory)})
	newest := new(latest.Memory) // or redislatest.New, for several nodes
	spend := sessions.RequireLatest(newest)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Update(w, r, func(d *wallet) { d.Vouchers-- }); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	}))

	send := func(tok string) *http.Response {
		r := httptest.NewRequest("POST", "https://example.com/vouchers", nil)
		r.AddCookie(&http.Cookie{Name: "__Host-session", Value: tok})
		w := httptest.NewRecorder()
		spend.ServeHTTP(w, r)
		fmt.Println(w.Code)
		return w.Result()
	}
	tok, _, err := sessions.Issue(context.Background(), "alice", wallet{Vouchers: 2})
	if err != nil {
		log.Fatal(err)
	}
	next := send(tok).Cookies()[0].Value
	send(next)
	send(tok)
	// Output:
	// 200
	// 200
	// 401
}

// Money moves only for who has just logged in, or just given the password again.
func ExampleSessions_RequireFresh() {
	ring, err := newMemoryRing()
	if err != nil {
		log.Fatal(err)
	}
	config := token.Config{Issuer: "example.com", Audience: "web", MaxAge: 30 * 24 * time.Hour}
	sessions := chimw.New(token.NewIssuer[User](ring, config), chimw.Config{})
	remember := sessions.Lasting(7*24*time.Hour, 30*24*time.Hour)

	r := chi.NewRouter()
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		if err := remember.Login(w, r, r.PostFormValue("name"), User{}); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})
	transfer := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "done") }
	r.With(sessions.RequireFresh(5*time.Minute)).Post("/transfer", transfer)
	r.With(sessions.Require).Post("/confirm", func(w http.ResponseWriter, r *http.Request) {
		// check the password here
		if err := sessions.Reauthenticate(w, r, nil); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})

	browse(r, "POST /transfer", "POST /login", "POST /confirm", "POST /transfer")
	// Output:
	// POST /transfer 401 Unauthorized
	// POST /login 200
	// POST /confirm 200
	// POST /transfer 200 done
}

func newMemoryRing() (*keys.Ring, error) {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		return nil, err
	}
	return set.Ring()
}

// browse sends requests as a browser does that alice sits at.
func browse(h http.Handler, requests ...string) {
	server := httptest.NewTLSServer(h)
	defer server.Close()
	client := server.Client()
	client.Jar, _ = cookiejar.New(nil)
	for _, request := range requests {
		var method, path string
		fmt.Sscan(request, &method, &path)
		send := func() (*http.Response, error) { return client.Get(server.URL + path) }
		if method == "POST" {
			send = func() (*http.Response, error) {
				return client.PostForm(server.URL+path, url.Values{"name": {"alice"}})
			}
		}
		resp, err := send()
		if err != nil {
			log.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(strings.TrimSpace(fmt.Sprintln(request, resp.StatusCode, string(text))))
	}
}
