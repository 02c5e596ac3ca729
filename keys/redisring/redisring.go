// Package redisring keeps a key ring in Redis: one server, Sentinel, or Cluster.
//
//	store, err := redisring.New(client, "web")
//	ring, err := keys.Source{Store: store}.Open(ctx)
//
// Redis is trusted to deliver the ring, and with nothing in it: a document that is
// not sealed is neither saved nor loaded. Nodes hear of a change within
// milliseconds, and ask once a second in case they did not. If Redis forgets the
// ring, or goes back to an older one, nodes go on with what they have and put it
// back.
package redisring

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/keys/keystore"
)

var _ keystore.Shared = (*Store)(nil)

const (
	// patience is how long a call may take. go-redis may take ten seconds for one
	// that a hung server does not answer, whatever its context says.
	patience = 2 * time.Second

	// inFlight bounds the calls that a hung server keeps.
	inFlight = 8
)

// A Store is the place of one ring in Redis, and one node that follows it. It is
// safe for concurrent use; open one for each ring.
type Store struct {
	client redis.UniversalClient
	prefix string
	node   string // name of this one
	calls  chan struct{}

	mu      sync.Mutex
	report  *keystore.Report // the last; nil before the first
	pending uint64           // tokens sealed with report.Key that Redis has not counted
}

// New returns the place under a prefix, which separates the rings on one server:
// 1 to 64 letters, digits, "-", "_", "." or ":". It talks to no server yet, and
// leaves the closing of the client to the caller.
func New(client redis.UniversalClient, prefix string) (*Store, error) {
	strange := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:", r)
	}
	if prefix == "" || len(prefix) > 64 || strings.ContainsFunc(prefix, strange) {
		return nil, fmt.Errorf("redisring: the prefix must be 1 to 64 letters, digits, -, _, . or :, not %.80q", prefix)
	}
	return &Store{client: client, prefix: prefix, node: nodeName(), calls: make(chan struct{}, inFlight)}, nil
}

// nodeName tells processes apart for a person, and the rings of a process too.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%.100s/%d/%s", strings.ReplaceAll(host, " ", "_"), os.Getpid(), rand.Text()[:4])
}

// key names a part of the ring. All parts are in one slot of a cluster.
func (s *Store) key(part string) string { return "{" + s.prefix + "}:" + part }

// String returns where the ring is, for a person.
func (s *Store) String() string { return "redis " + s.key("ring") }

// Load returns the document, from a master. It refuses one that is not sealed.
func (s *Store) Load(ctx context.Context) ([]byte, error) {
	doc, err := do(ctx, s, "load the ring", func(ctx context.Context) (string, error) {
		return loadScript.Run(ctx, s.client, []string{s.key("ring")}).Text()
	})
	if errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("%s: %w", s, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	b := []byte(doc)
	return b, refuseUnsealed(b)
}

func refuseUnsealed(doc []byte) error {
	if kindOf(doc) != "carnet sealed ring" {
		return errors.New("a ring in Redis must be sealed, and this document is not: give a key-encryption key")
	}
	return nil
}

// kindOf reads no further than it must: whoever opens the document reads all of it.
func kindOf(doc []byte) string {
	d := jsontext.NewDecoder(bytes.NewReader(doc))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return ""
	}
	for {
		name, err := d.ReadToken()
		if err != nil || name.Kind() != '"' {
			return ""
		}
		if name.String() != "kind" {
			if d.SkipValue() != nil {
				return ""
			}
			continue
		}
		if kind, err := d.ReadToken(); err == nil && kind.Kind() == '"' {
			return kind.String()
		}
		return ""
	}
}

// Save puts next in the place of old. If the master has replicas, one of them has
// it too when Save returns nil, so that a failover does not lose it.
func (s *Store) Save(ctx context.Context, old, next []byte) error {
	if err := refuseUnsealed(next); err != nil {
		return err
	}
	digest := ""
	if old != nil {
		digest = sum(old)
	}
	saved, err := do(ctx, s, "save the ring", func(ctx context.Context) (bool, error) {
		return s.save(ctx, digest, next)
	})
	if err == nil && !saved {
		return keystore.ErrConflict
	}
	return err
}

func sum(doc []byte) string {
	d := sha256.Sum256(doc)
	return hex.EncodeToString(d[:])
}

// do calls within a deadline that holds even if go-redis ignores it.
func do[T any](ctx context.Context, s *Store, what string, call func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan result, 1)
	select {
	case s.calls <- struct{}{}:
	case <-ctx.Done():
		return *new(T), fmt.Errorf("%s from %s: %d calls wait for an answer already: %w", what, s, inFlight, ctx.Err())
	}
	go func() {
		defer func() { <-s.calls }()
		value, err := call(ctx)
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && !errors.Is(r.err, redis.Nil) {
			s.reloadCluster(ctx)
			return r.value, fmt.Errorf("%s from %s: %w", what, s, r.err)
		}
		return r.value, r.err
	case <-ctx.Done():
		s.reloadCluster(ctx)
		return *new(T), fmt.Errorf("%s from %s: no answer: %w", what, s, ctx.Err())
	}
}

// reloadCluster has a cluster's client ask who is master now. By itself it goes on
// dialling a dead one for up to a minute.
func (s *Store) reloadCluster(ctx context.Context) {
	if c, ok := s.client.(interface{ ReloadState(context.Context) }); ok {
		c.ReloadState(context.WithoutCancel(ctx))
	}
}
