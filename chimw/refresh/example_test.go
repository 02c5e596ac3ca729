package refresh_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/refresh"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

type User struct{ Name string } // what a session carries

// An API with refresh tokens.
func ExampleNew() {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	ring, err := set.Ring() // keys.Open("ring.json")
	if err != nil {
		log.Fatal(err)
	}
	config := token.Config{Issuer: "example.com", Audience: "api",
		Lifetime: 14 * 24 * time.Hour, MaxAge: 90 * 24 * time.Hour}
	denied := new(revocation.Memory) // nodes share a redislist.List
	tokens := refresh.New[User](ring, config, refresh.Config{
		Store:      new(refresh.Memory), // and a redisrefresh.Store
		Revocation: denied,
		Grace:      -1, // so that the example need not wait for a minute
		Theft:      func(_ context.Context, c token.Claims) { fmt.Println("theft of a session of", c.Subject) },
	})
	guard := chimw.NewGuard(token.NewVerifier[User](ring, config), chimw.Config{Revocation: denied, Bearer: true})

	r := chi.NewRouter()
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		name := r.PostFormValue("name") // check the password here
		pair, err := tokens.Login(r.Context(), name, User{Name: name})
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		pair.Write(w)
	})
	r.Method("POST", "/refresh", tokens)
	r.With(guard.Require).Get("/me", func(w http.ResponseWriter, r *http.Request) {
		s, _ := chimw.FromContext[User](r.Context())
		fmt.Fprintf(w, "hello, %s", s.Data().Name)
	})

	server := httptest.NewServer(r)
	defer server.Close()
	me := func(p refresh.Pair) {
		req, _ := http.NewRequest("GET", server.URL+"/me", nil)
		req.Header.Set("Authorization", "Bearer "+p.AccessToken)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println("GET /me", resp.StatusCode)
	}
	post := func(path, name, value string) (p refresh.Pair) {
		resp, err := http.PostForm(server.URL+path, url.Values{name: {value}})
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		json.NewDecoder(resp.Body).Decode(&p)
		fmt.Println("POST", path, resp.StatusCode)
		return p
	}
	first := post("/login", "name", "alice")
	me(first)
	second := post("/refresh", "refresh_token", first.RefreshToken)
	me(second)
	post("/refresh", "refresh_token", first.RefreshToken) // by a thief, or his victim
	me(second)
	post("/refresh", "refresh_token", second.RefreshToken)
	// Output:
	// POST /login 200
	// GET /me 200
	// POST /refresh 200
	// GET /me 200
	// theft of a session of alice
	// POST /refresh 401
	// GET /me 401
	// POST /refresh 401
}

// Through the patterns of package net/http.
func ExampleTokens_ServeHTTP() {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		log.Fatal(err)
	}
	tokens := refresh.New[User](ring, token.Config{Issuer: "example.com", Audience: "api"},
		refresh.Config{Revocation: new(revocation.Memory)})
	mux := http.NewServeMux()
	mux.Handle("POST /refresh", tokens)

	pair, err := tokens.Login(context.Background(), "alice", User{"Alice"})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, tok := range []string{pair.RefreshToken, pair.AccessToken} {
		resp, err := http.PostForm(server.URL+"/refresh", url.Values{"refresh_token": {tok}})
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
	}
	// Output:
	// 200 OK
	// 401 Unauthorized
}
