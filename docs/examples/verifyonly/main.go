// Command verifyonly is a node that reads sessions and can't be made to mint one: it
// has no key to sign with.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// User is what this node reads of the data. It may know less than the node that wrote it.
type User struct{ Name string }

func main() {
	ring, err := keys.OpenVerifyOnly("verify.json") // carnet export ring.json --out verify.json
	if err != nil {
		log.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	denied := redislist.New(client, "web:")
	if err := denied.Ready(context.Background()); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("localhost:8081", service(ring, denied)))
}

func service(ring token.Opener, denied revocation.List) http.Handler {
	config := token.Config{Issuer: "example.com", Audience: "web", MaxAge: 30 * 24 * time.Hour}
	guard := chimw.NewGuard(token.NewVerifier[User](ring, config), chimw.Config{Revocation: denied})

	mux := http.NewServeMux()
	mux.Handle("GET /orders", guard.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := chimw.FromContext[User](r.Context())
		fmt.Fprintf(w, "the orders of %s\n", s.Data().Name)
	})))
	// Not behind Require: whose session has just ended is to lose the cookie all the same.
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		switch err := guard.Logout(w, r); {
		case errors.Is(err, chimw.ErrCrossOrigin): // another site's page sent it
			http.Error(w, "Forbidden", http.StatusForbidden)
		case err != nil:
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	})
	return mux
}
