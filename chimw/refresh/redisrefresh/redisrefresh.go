// Package redisrefresh counts the generations of refresh tokens in Redis.
package redisrefresh

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw/refresh"
)

// A Store is a [refresh.Store] in Redis: one key of some 100 bytes for each session,
// until the session ends. Each call is one script, and moments are of the clock of
// Redis: no node's clock has a say in what is theft. If a failover leads to a server
// with another clock, the grace of what was made before is longer or shorter by as much.
//
// Give it a Redis with an append-only file that does not evict. Package refresh says
// what happens with one that forgets.
type Store struct {
	client redis.UniversalClient
	prefix string
}

var _ refresh.Store = (*Store)(nil)

// New returns a Store whose keys begin with prefix. Set ContextTimeoutEnabled on the
// client, or a Redis that hangs holds up each request for seconds.
func New(client redis.UniversalClient, prefix string) *Store { return &Store{client, prefix} }

// timeout bounds the wait of a request.
const timeout = time.Second

// A value is "generation moment", the moment in milliseconds; zero if Put made it. The
// generation of a session that was ended is -1.
const (
	put = `
local v=redis.call('GET',KEYS[1])
if v then
  local g=tonumber(string.match(v,'^%S+'))
  if g<0 or g>=tonumber(ARGV[1]) then return 0 end
end
redis.call('SET',KEYS[1],ARGV[1]..' 0','PX',ARGV[2])
return 1
`
	advance = `
local v=redis.call('GET',KEYS[1])
if not v then return -1 end
local g,made=string.match(v,'^(%S+) (%S+)$')
g=tonumber(g)
made=tonumber(made)
if g<0 then return -2 end
local from=tonumber(ARGV[1])
if from>g then return -1 end
local clock=redis.call('TIME')
local now=clock[1]*1000+math.floor(clock[2]/1000)
if made>0 and now-made<tonumber(ARGV[2]) and from>=g-1 then return g end
local next=-1
if from==g then next=g+1 end
redis.call('SET',KEYS[1],string.format('%.0f %.0f',next,now),'PX',ARGV[3])
if next<0 then return -2 end
return next
`
	unknown = -1
	reused  = -2
)

// Put is that of [refresh.Store].
func (s *Store) Put(ctx context.Context, session string, generation int64, until time.Time) error {
	_, err := s.eval(ctx, put, session, generation, life(until))
	return err
}

// Advance is that of [refresh.Store].
func (s *Store) Advance(ctx context.Context, session string, from int64, grace time.Duration, until time.Time) (int64, error) {
	n, err := s.eval(ctx, advance, session, from, grace.Milliseconds(), life(until))
	switch {
	case err != nil:
		return 0, err
	case n == unknown:
		return 0, refresh.ErrUnknown
	case n == reused:
		return 0, refresh.ErrReused
	}
	return n, nil
}

func (s *Store) eval(ctx context.Context, script, session string, args ...any) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	n, err := s.client.Eval(ctx, script, []string{s.key(session)}, args...).Int64()
	if err != nil {
		return 0, fmt.Errorf("redisrefresh: %w", err)
	}
	return n, nil
}

func life(until time.Time) int64 { return max(time.Until(until), time.Second).Milliseconds() }

// key hides the session id from who can read Redis.
func (s *Store) key(session string) string {
	sum := sha256.Sum256([]byte(session))
	return s.prefix + "refresh:" + base64.RawURLEncoding.EncodeToString(sum[:16])
}
