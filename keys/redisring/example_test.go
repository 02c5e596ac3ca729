package redisring_test

import (
	"context"
	"log"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/redisring"
)

// The ring that carnet init 'redis://localhost:6379/0?prefix=web' has made.
func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	store, err := redisring.New(client, "web")
	if err != nil {
		log.Fatal(err)
	}
	ring, err := keys.Source{Store: store}.Open(context.Background()) // with CARNET_RING_KEY_FILE
	if err != nil {
		log.Fatal(err)
	}
	defer ring.Close()
}
