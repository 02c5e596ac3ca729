// Package redislatest remembers the newest cookie of each session in Redis.
package redislatest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw/latest"
)

// A Store is a [latest.Store] in Redis: one key for each session that has been on
// such a route, until the session ends. A Redis that loses its data, or evicts, takes
// older cookies again until it has seen newer ones.
type Store struct {
	client redis.UniversalClient
	prefix string
}

var _ latest.Store = (*Store)(nil)

// New returns a Store whose keys begin with prefix. Set ContextTimeoutEnabled on the
// client, or a Redis that hangs holds up each request for seconds.
func New(client redis.UniversalClient, prefix string) *Store { return &Store{client, prefix} }

// timeout bounds the wait of a request.
const timeout = time.Second

// advance gives 0 for a revision lower than the one that is there.
const advance = `
local v=redis.call('GET',KEYS[1])
if v and tonumber(v)>tonumber(ARGV[1]) then return 0 end
redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2])
return 1
`

// Advance is that of [latest.Store]. It is one call of Redis.
func (s *Store) Advance(ctx context.Context, session string, revision int64, until time.Time) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	life := max(time.Until(until), time.Second)
	n, err := s.client.Eval(ctx, advance, []string{s.key(session)}, revision, life.Milliseconds()).Int()
	if err != nil {
		return false, fmt.Errorf("redislatest: %w", err)
	}
	return n == 1, nil
}

// key hides the session id from who can read Redis.
func (s *Store) key(session string) string {
	sum := sha256.Sum256([]byte(session))
	return s.prefix + "latest:" + base64.RawURLEncoding.EncodeToString(sum[:16])
}
