package redisring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// A script runs on a master, which a plain read might not. The server computes its
// digest: SHA-1 is not for a process that enforces FIPS 140.
var loadScript = redis.NewScriptServerSHA(`return redis.call('HGET', KEYS[1], 'document')`)

// saveScript compares and sets. It returns -1 for a conflict, or how many replicas
// the master has; some hosted servers don't tell. A ring without its document is
// none, whatever else is left of it. A call that go-redis sends again,
// because it lost the answer, finds its own name and has won.
var saveScript = redis.NewScriptServerSHA(`
local now = {false, false}
if redis.call('HEXISTS', KEYS[1], 'document') == 1 then
  now = redis.call('HMGET', KEYS[1], 'sha256', 'call')
end
if now[2] ~= ARGV[4] then
  if (now[1] or '') ~= ARGV[1] then return -1 end
  redis.call('HSET', KEYS[1], 'sha256', ARGV[2], 'document', ARGV[3], 'call', ARGV[4])
  redis.pcall('PUBLISH', KEYS[1], ARGV[2])
end
local info = redis.pcall('INFO', 'replication')
if type(info) ~= 'string' then return 0 end
return tonumber(string.match(info, 'connected_slaves:(%d+)') or '0')
`)

// beatScript notes what a node reports and returns the digest of the document.
// Times are those of the server.
var beatScript = redis.NewScriptServerSHA(`
local t = redis.call('TIME')
if ARGV[1] ~= '' then
  local now = string.format('%d', t[1] * 1000 + math.floor(t[2] / 1000))
  redis.call('HSET', KEYS[2], ARGV[1], now .. ' ' .. ARGV[2])
  redis.call('EXPIRE', KEYS[2], 86400)
end
if ARGV[4] ~= '0' then redis.call('HINCRBY', KEYS[3], ARGV[3], ARGV[4]) end
if redis.call('HEXISTS', KEYS[1], 'document') == 0 then return '' end
return redis.call('HGET', KEYS[1], 'sha256') or ''
`)

// replicated is how long Save waits for a replica.
const replicated = time.Second

// connection is one to the master of the ring, for commands that belong together.
func (s *Store) connection(ctx context.Context) (*redis.Conn, error) {
	switch c := s.client.(type) {
	case *redis.Client:
		return c.Conn(), nil
	case *redis.ClusterClient:
		master, err := c.MasterForKey(ctx, s.key("ring"))
		if err != nil {
			return nil, err
		}
		return master.Conn(), nil
	}
	return nil, fmt.Errorf("redisring: %T is no client of a server, of Sentinels or of a cluster", s.client)
}

// save is false if the document is not the one with the digest.
func (s *Store) save(ctx context.Context, digest string, next []byte) (bool, error) {
	name := rand.Text()
	for {
		saved, err := s.saveOnce(ctx, name, digest, next)
		if !redis.HasErrorPrefix(err, "MOVED") && !redis.HasErrorPrefix(err, "READONLY") {
			return saved, err
		}
		s.reloadCluster(ctx) // the master has changed, and this one has saved nothing
		select {
		case <-ctx.Done():
			return false, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *Store) saveOnce(ctx context.Context, name, digest string, next []byte) (bool, error) {
	conn, err := s.connection(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	replicas, err := saveScript.Run(ctx, conn, []string{s.key("ring")}, digest, sum(next), next, name).Int()
	if err != nil || replicas <= 0 {
		return replicas == 0, err
	}
	confirmed, err := conn.Wait(ctx, 1, replicated).Result()
	if err == nil && confirmed == 0 {
		err = errors.New("no replica confirms it")
	}
	if err != nil {
		return true, fmt.Errorf("it is saved, and a failover may lose it: %w", err)
	}
	return true, nil
}
