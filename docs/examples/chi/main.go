// Command chi is a site of several nodes, on chi, with a denylist in Redis.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/reason"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// User is what a session carries.
type User struct {
	Name  string
	Admin bool
}

func main() {
	ring, err := keys.Open("ring.json")
	if err != nil {
		log.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	denied := redislist.New(client, "web:")
	if err := denied.Ready(context.Background()); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("localhost:8080", site(ring, denied))) // behind a proxy with TLS
}

func site(ring token.Sealer, denied *redislist.List) http.Handler {
	config := token.Config{Issuer: "example.com", Audience: "web", MaxAge: 30 * 24 * time.Hour}
	sessions := chimw.New(token.NewIssuer[User](ring, config),
		chimw.Config{Revocation: denied, Report: reason.Log(slog.Default())})
	office := sessions.Lasting(30*time.Minute, 12*time.Hour)
	remember := sessions.Lasting(7*24*time.Hour, 30*24*time.Hour)
	// Money moves only where no logout of the last ten seconds can have been missed.
	careful := sessions.With(freshness.NewChecker(denied, freshness.Closed(10*time.Second)))

	r := chi.NewRouter()
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		login := office.Login
		if r.PostFormValue("remember") != "" {
			login = remember.Login
		}
		name := r.PostFormValue("name") // check the password here
		answer(w, login(w, r, name, User{Name: name}))
	})
	r.Post("/logout", func(w http.ResponseWriter, r *http.Request) { answer(w, sessions.Logout(w, r)) })
	r.With(sessions.Load).Get("/", func(w http.ResponseWriter, r *http.Request) {
		name := "stranger"
		if s, ok := chimw.FromContext[User](r.Context()); ok {
			name = s.Data().Name
		}
		fmt.Fprintf(w, "hello, %s\n", name)
	})
	r.Group(func(r chi.Router) {
		r.Use(sessions.Require)
		r.Get("/events", events)
		r.Post("/admin", func(w http.ResponseWriter, r *http.Request) {
			answer(w, sessions.Elevate(w, r, func(u *User) { u.Admin = true }))
		})
		r.Post("/password", func(w http.ResponseWriter, r *http.Request) {
			// check the old password here, and store the new one
			answer(w, sessions.LogoutOthers(w, r))
		})
		r.Post("/confirm", func(w http.ResponseWriter, r *http.Request) {
			// check the password here
			answer(w, sessions.Reauthenticate(w, r, nil))
		})
	})
	r.With(careful.RequireFresh(5*time.Minute)).Post("/transfer", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "done")
	})
	return r
}

func answer(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
	case errors.Is(err, chimw.ErrCrossOrigin):
		http.Error(w, "from another site", http.StatusForbidden)
	case errors.Is(err, token.ErrInvalid): // logged out meanwhile
		http.Error(w, "log in", http.StatusUnauthorized)
	default: // the list did not take the mark
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

// events tells a page the time, for as long as its session lasts.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		now, _ := json.Marshal(time.Now())
		fmt.Fprintf(w, "data: %s\n\n", now)
		if out.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			if errors.Is(context.Cause(r.Context()), token.ErrInvalid) { // not a client that went away
				fmt.Fprint(w, "event: logout\ndata: log in again\n\n")
			}
			return
		}
	}
}
