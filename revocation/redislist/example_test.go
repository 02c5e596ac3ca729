package redislist_test

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
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

type User struct{ Name string }

var (
	issuer    *token.Issuer[User]
	config    token.Config
	pay, news http.HandlerFunc
)

// The denylist of several nodes.
func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	denied := redislist.New(client, "web:")
	if err := denied.Ready(context.Background()); err != nil {
		log.Fatal(err)
	}
	sessions := chimw.New(issuer, chimw.Config{Revocation: denied, Report: reason.Log(slog.Default())})

	r := chi.NewRouter()
	r.Post("/logout", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Logout(w, r); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})
	// Behind Require: these two are about the user, so they need a session that is good.
	r.With(sessions.Require).Post("/logout-everywhere", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.LogoutEverywhere(w, r); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})
	r.With(sessions.Require).Post("/logout-others", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.LogoutOthers(w, r); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})

	careful := sessions.With(freshness.NewChecker(denied, freshness.Closed(5*time.Second)))
	r.With(careful.Require).Post("/payments", pay)
	r.With(sessions.Require).Get("/news", news)
	log.Fatal(http.ListenAndServe("localhost:8080", r)) // behind a proxy with TLS
}

func disable(ctx context.Context, denied *redislist.List, name, admin string) error {
	mark := revocation.Subject(name, config.MaxAge) // of token.Config
	mark.Reason, mark.By = "account disabled", admin
	return denied.Revoke(ctx, mark)
}

// An administrator disables an account, without a request of its user.
func ExampleList_Revoke() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	denied := redislist.New(client, "web:")
	err := disable(context.Background(), denied, "alice", "carol")
	if errors.Is(err, redislist.ErrNotConfirmed) {
		log.Print("in force on this node; the others get it once Redis answers")
	} else if err != nil {
		log.Fatal(err)
	}
}

// What of a Redis can hurt a list, to be logged at the start of a node.
func ExampleInspect() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	found, err := redislist.Inspect(context.Background(), client, "web:")
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range found {
		log.Print(f)
	}
}
