package redislist_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/revocation/revocationtest"
)

// connect returns a client as the documentation asks for.
func connect(t testing.TB, addr string) redis.UniversalClient {
	c := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, DialTimeout: time.Second})
	t.Cleanup(func() { c.Close() })
	return c
}

// open returns a list with a client of its own, as a node has it.
func open(t testing.TB, c redis.UniversalClient, config redislist.Config, prefix string) *redislist.List {
	l := config.New(c, prefix)
	t.Cleanup(func() { l.Close() })
	return l
}

// ready waits until the copies are complete.
func ready(t testing.TB, lists ...*redislist.List) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, l := range lists {
		if err := l.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// Each subtest gets a list of its own prefix; they warm up together.
func TestWhatEveryListPromises(t *testing.T) {
	addr := redistest.Start(t).Addr
	const subtests = 40
	lists := make(chan *redislist.List, subtests)
	for i := range subtests {
		lists <- open(t, connect(t, addr), redislist.Config{}, string(rune('A'+i))+":")
	}
	revocationtest.TestList(t, func(t *testing.T) revocation.List {
		l := <-lists
		ready(t, l)
		return l
	}, nil)
}
