// Package soak breaks Redis in every way we know of, and counts what becomes of
// acknowledged revocations. It is a module of its own for the sake of its
// dependencies. Without -full it runs a sample.
package soak

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

var full = flag.Bool("full", false, "as many rounds and marks as it takes to be sure")

// size is a number of rounds or marks.
func size(sample, whole int) int {
	if *full {
		return whole
	}
	return sample
}

// span is a time that something takes.
func span(sample, whole time.Duration) time.Duration {
	if *full {
		return whole
	}
	return sample
}

const patience = 60 * time.Second

// waitFor polls until done, and fails the test if it takes too long.
func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func options(addr string) *redis.Options {
	return &redis.Options{
		Addr: addr, ContextTimeoutEnabled: true, DialTimeout: time.Second,
		ReadTimeout: 2 * time.Second, MaxRetries: 1,
	}
}

func connect(t testing.TB, addr string) redis.UniversalClient {
	return closing(t, redis.NewClient(options(addr)))
}

func closing(t testing.TB, c redis.UniversalClient) redis.UniversalClient {
	t.Cleanup(func() { c.Close() })
	return c
}

func open(t testing.TB, c redis.UniversalClient, config redislist.Config) *redislist.List {
	if config.Log == nil {
		config.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	l := config.New(c, "soak:")
	t.Cleanup(func() { l.Close() })
	return l
}

func ready(t testing.TB, lists ...*redislist.List) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, l := range lists {
		if err := l.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// login returns the claims of a session as a Verifier gives them.
func login() token.Claims {
	now := time.Now().UTC()
	return token.Claims{
		Binding:   token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		SessionID: newID(), Subject: "alice", KeyID: "k", StartedAt: now, EndsAt: now.Add(12 * time.Hour),
	}
}

func refused(l *redislist.List, c token.Claims) bool {
	_, err := l.Look(c)
	return errors.Is(err, revocation.ErrRevoked)
}

// A load revokes sessions on some lists until it is stopped.
type load struct {
	mu          sync.Mutex
	acked       []token.Claims
	unconfirmed atomic.Int64
	other       atomic.Int64 // errors that are neither yes nor "not confirmed"
	gap         atomic.Int64 // the longest time without an acknowledgement
	last        atomic.Int64

	stop chan struct{}
	wg   sync.WaitGroup
}

// revoking starts writers for each list, of which each sets a mark per pause.
func revoking(lists []*redislist.List, writers int, pause time.Duration) *load {
	w := &load{stop: make(chan struct{})}
	w.last.Store(time.Now().UnixNano())
	for _, l := range lists {
		for range writers {
			w.wg.Go(func() { w.run(l, pause) })
		}
	}
	return w
}

func (w *load) run(l *redislist.List, pause time.Duration) {
	for {
		select {
		case <-w.stop:
			return
		case <-time.After(pause):
		}
		c := login()
		err := l.Revoke(context.Background(), revocation.Session(c))
		switch {
		case err == nil:
			now := time.Now().UnixNano()
			if d := now - w.last.Swap(now); d > w.gap.Load() {
				w.gap.Store(d)
			}
			w.mu.Lock()
			w.acked = append(w.acked, c)
			w.mu.Unlock()
		case errors.Is(err, redislist.ErrNotConfirmed) && refused(l, c):
			w.unconfirmed.Add(1)
		default:
			w.other.Add(1)
		}
	}
}

func (w *load) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// finish stops the writers and returns the sessions whose revocation was
// acknowledged.
func (w *load) finish() []token.Claims {
	close(w.stop)
	w.wg.Wait()
	return w.acked
}

// accepted returns how many of the sessions a list does not refuse.
func accepted(l *redislist.List, all []token.Claims) (n int) {
	for _, c := range all {
		if !refused(l, c) {
			n++
		}
	}
	return n
}

func percentile(d []time.Duration, p float64) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[min(len(d)-1, int(p*float64(len(d))))]
}

func summary(d []time.Duration) string {
	return fmt.Sprintf("p50 %v, p99 %v, max %v of %d", percentile(d, 0.5), percentile(d, 0.99), percentile(d, 1), len(d))
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
