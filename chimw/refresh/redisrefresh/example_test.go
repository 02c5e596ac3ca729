package redisrefresh_test

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/reason"
	"github.com/carnet-go/carnet/chimw/refresh"
	"github.com/carnet-go/carnet/chimw/refresh/redisrefresh"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

type User struct{ Name string } // what a session carries

func tellTheUser(subject string) { log.Println("a session of", subject, "was stolen") }

// An API of several nodes.
func ExampleNew() {
	ring, err := keys.Open("ring.json")
	if err != nil {
		log.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	denied := redislist.New(client, "api:")
	me := func(http.ResponseWriter, *http.Request) {}
	r := chi.NewRouter()

	config := token.Config{Issuer: "example.com", Audience: "api",
		Lifetime: 14 * 24 * time.Hour, MaxAge: 90 * 24 * time.Hour}
	tokens := refresh.New[User](ring, config, refresh.Config{
		Store:      redisrefresh.New(client, "api:"),
		Revocation: denied,
		Theft:      func(ctx context.Context, c token.Claims) { tellTheUser(c.Subject) },
		Report:     reason.Log(slog.Default()),
	})
	guard := chimw.NewGuard(token.NewVerifier[User](ring, config), chimw.Config{Revocation: denied, Bearer: true})

	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		name := r.PostFormValue("name") // check the password here
		pair, err := tokens.Login(r.Context(), name, User{Name: name})
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		pair.Write(w)
	})
	r.Method("POST", "/refresh", tokens) // mux.Handle("POST /refresh", tokens)
	r.With(guard.Require).Get("/me", me)
	r.Post("/logout", func(w http.ResponseWriter, r *http.Request) {
		err := tokens.Logout(r.Context(), r.PostFormValue("refresh_token"))
		if err != nil && !errors.Is(err, token.ErrInvalid) { // which is: there is nothing to end
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})
}
