package redislatest_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw/latest"
	"github.com/carnet-go/carnet/chimw/latest/latesttest"
	"github.com/carnet-go/carnet/chimw/latest/redislatest"
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
	latesttest.TestStore(t, func(t *testing.T) latest.Store {
		n++
		return redislatest.New(connect(t, server.Addr), "web"+strconv.Itoa(n)+":")
	})
}

func TestTwoNodesAndAnOutage(t *testing.T) {
	server := redistest.Start(t)
	a, b := redislatest.New(connect(t, server.Addr), "web:"), redislatest.New(connect(t, server.Addr), "web:")
	until := time.Now().Add(time.Hour)
	if ok, err := a.Advance(t.Context(), "session", 2, until); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := b.Advance(t.Context(), "session", 1, until); ok || err != nil {
		t.Errorf("an older one on another node: %v, %v", ok, err)
	}
	keys := strings.Fields(server.Must("KEYS", "*"))
	if len(keys) != 1 || strings.Contains(keys[0], "session") {
		t.Errorf("keys: %q", keys)
	}
	if ttl, err := strconv.Atoi(server.Must("TTL", keys[0])); err != nil || ttl < 3500 || ttl > 3600 {
		t.Errorf("it is kept for %d s, %v", ttl, err)
	}
	server.Freeze()
	start := time.Now()
	if ok, err := b.Advance(t.Context(), "session", 9, until); ok || err == nil || time.Since(start) > 20*time.Second {
		t.Errorf("a Redis that hangs: %v, %v after %v", ok, err, time.Since(start))
	}
	server.Thaw()
	server.Kill()
	if ok, err := b.Advance(t.Context(), "session", 9, until); ok || err == nil {
		t.Errorf("without Redis: %v, %v", ok, err)
	}
}
