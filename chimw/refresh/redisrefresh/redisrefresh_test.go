package redisrefresh_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw/refresh"
	"github.com/carnet-go/carnet/chimw/refresh/redisrefresh"
	"github.com/carnet-go/carnet/chimw/refresh/refreshtest"
	"github.com/carnet-go/carnet/internal/redistest"
)

func connect(t *testing.T, addr string) redis.UniversalClient {
	c := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	n := 0
	refreshtest.TestStore(t, func(t *testing.T) refresh.Store {
		n++
		return redisrefresh.New(connect(t, server.Addr), "api"+strconv.Itoa(n)+":")
	})
}

func TestKeysAndAnOutage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := redisrefresh.New(connect(t, server.Addr), "api:")
	until := time.Now().Add(time.Hour)
	if err := s.Put(t.Context(), "session", 0, until); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		keys := strings.Fields(server.Must("KEYS", "*"))
		if len(keys) != 1 || strings.Contains(keys[0], "session") {
			t.Errorf("keys: %q", keys)
		}
		if ttl, err := strconv.Atoi(server.Must("TTL", keys[0])); err != nil || ttl < 3500 || ttl > 3600 {
			t.Errorf("it is kept for %d s, %v", ttl, err)
		}
		if g, err := s.Advance(t.Context(), "session", 0, time.Minute, until); g != 1 || err != nil {
			t.Fatal(g, err)
		}
	}
	server.Freeze()
	if g, err := s.Advance(t.Context(), "session", 1, 0, until); g != 0 || err == nil || errors.Is(err, refresh.ErrUnknown) {
		t.Errorf("a Redis that hangs: %d, %v", g, err)
	}
	server.Thaw()
	server.Kill()
	if g, err := s.Advance(t.Context(), "session", 1, 0, until); g != 0 || err == nil || errors.Is(err, refresh.ErrUnknown) {
		t.Errorf("without Redis: %d, %v", g, err)
	}
	if err := s.Put(t.Context(), "session", 1, until); err == nil {
		t.Error("Put succeeds without Redis")
	}
	server.Start() // empty
	if g, err := s.Advance(t.Context(), "session", 1, 0, until); g != 0 || !errors.Is(err, refresh.ErrUnknown) {
		t.Errorf("a Redis that was emptied: %d, %v", g, err)
	}
}
