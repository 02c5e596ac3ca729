package redisoverflow_test

import (
	"log"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/overflow/redisoverflow"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// Sessions of several nodes, with more data than fits into a cookie.
func ExampleNew() {
	ring, err := keys.Open("ring.json")
	if err != nil {
		log.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	denied := redislist.New(client, "web:")
	issuer := token.NewIssuer[[]string](ring, token.Config{Issuer: "example.com", Audience: "web"})
	sessions := chimw.New(issuer, chimw.Config{
		Revocation: denied,
		Overflow:   redisoverflow.New(client, "web:"),
	})
	_ = sessions.Require
}
