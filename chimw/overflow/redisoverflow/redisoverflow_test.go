package redisoverflow_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw/overflow"
	"github.com/carnet-go/carnet/chimw/overflow/overflowtest"
	"github.com/carnet-go/carnet/chimw/overflow/redisoverflow"
	"github.com/carnet-go/carnet/internal/redistest"
)

func connect(t *testing.T, addr string) redis.UniversalClient {
	c := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRedis(t *testing.T) {
	server := redistest.Start(t)
	n := 0
	overflowtest.TestStore(t, func(t *testing.T) overflow.Store {
		n++
		return redisoverflow.New(connect(t, server.Addr), "web"+strconv.Itoa(n)+":")
	})
}

func TestKeysAndAnOutage(t *testing.T) {
	server := redistest.Start(t)
	s := redisoverflow.New(connect(t, server.Addr), "web:")
	name := strings.Repeat("n", 42)
	for i, d := range []time.Duration{time.Hour, time.Minute} { // it is never kept for less
		if err := s.Put(t.Context(), "session", name+strconv.Itoa(i), []byte("entry"), time.Now().Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	keys := strings.Fields(server.Must("KEYS", "*"))
	if len(keys) != 1 || strings.Contains(keys[0], "session") {
		t.Errorf("keys: %q", keys)
	}
	if ttl, err := strconv.Atoi(server.Must("TTL", keys[0])); err != nil || ttl < 3500 || ttl > 3600 {
		t.Errorf("it is kept for %d s, %v", ttl, err)
	}
	down := func(how string) {
		t.Helper()
		if got, err := s.Get(t.Context(), "session", name+"1"); got != nil || err == nil || errors.Is(err, overflow.ErrMissing) {
			t.Errorf("%s: %q, %v", how, got, err)
		}
		if err := s.Put(t.Context(), "session", name+"x", []byte("entry"), time.Now().Add(time.Hour)); err == nil {
			t.Errorf("%s: it is put", how)
		}
	}
	server.Freeze()
	down("a Redis that hangs")
	server.Thaw()
	server.Kill()
	down("without Redis")
	server.Start()
	if _, err := s.Get(t.Context(), "session", name+"1"); !errors.Is(err, overflow.ErrMissing) {
		t.Errorf("a Redis that was emptied: %v", err)
	}
}
