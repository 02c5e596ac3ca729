// Package redisoverflow keeps session data that does not fit into the cookie in Redis.
package redisoverflow

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw/overflow"
)

// A Store is an [overflow.Store] in Redis: one hash for each session that has data in
// it, until the session ends. Each call is one command. A Redis that loses its data, or
// evicts, ends these sessions: give it an append-only file, and memory.
type Store struct {
	client redis.UniversalClient
	prefix string
}

var _ overflow.Store = (*Store)(nil)

// New returns a Store whose keys begin with prefix. Set ContextTimeoutEnabled on the
// client, or a Redis that hangs holds up each request for seconds.
func New(client redis.UniversalClient, prefix string) *Store { return &Store{client, prefix} }

// timeout bounds the wait of a request.
const timeout = time.Second

// The field "names" has the names of the entries, the oldest first.
const put = `
if redis.call('HEXISTS',KEYS[1],ARGV[1])==1 then return 0 end
local names=(redis.call('HGET',KEYS[1],'names') or '')..ARGV[1]
local one=string.len(ARGV[1])
while string.len(names)>one*tonumber(ARGV[4]) do
  redis.call('HDEL',KEYS[1],string.sub(names,1,one))
  names=string.sub(names,one+1)
end
redis.call('HSET',KEYS[1],ARGV[1],ARGV[2],'names',names)
if redis.call('PTTL',KEYS[1])<tonumber(ARGV[3]) then redis.call('PEXPIRE',KEYS[1],ARGV[3]) end
return 1
`

// Put is that of [overflow.Store].
func (s *Store) Put(ctx context.Context, session, name string, entry []byte, until time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	life := max(time.Until(until), time.Second).Milliseconds()
	if err := s.client.Eval(ctx, put, []string{s.key(session)}, name, entry, life, overflow.Versions).Err(); err != nil {
		return fmt.Errorf("redisoverflow: %w", err)
	}
	return nil
}

// Get is that of [overflow.Store].
func (s *Store) Get(ctx context.Context, session, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	entry, err := s.client.HGet(ctx, s.key(session), name).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, overflow.ErrMissing
	case err != nil:
		return nil, fmt.Errorf("redisoverflow: %w", err)
	}
	return entry, nil
}

// key hides the session id from who can read Redis.
func (s *Store) key(session string) string {
	sum := sha256.Sum256([]byte(session))
	return s.prefix + "overflow:" + base64.RawURLEncoding.EncodeToString(sum[:16])
}
