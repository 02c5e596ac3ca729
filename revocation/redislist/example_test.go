package redislist_test

import (
	"context"
	"log"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/revocation/redislist"
)

// The denylist of several nodes.
func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	denied := redislist.New(client, "web:")
	if err := denied.Ready(context.Background()); err != nil {
		log.Fatal(err)
	}
	defer denied.Close()
	// chimw.New(issuer, chimw.Config{Revocation: denied})
}
