package redislist

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A Finding is a setting of a Redis that can hurt a list.
type Finding struct {
	Setting string // as Redis calls it
	Value   string
	Harm    string // what can come of it, and what to do
}

// String is one line.
func (f Finding) String() string { return fmt.Sprintf("%s is %s: %s", f.Setting, f.Value, f.Harm) }

// Exists reports whether there is a list with this prefix in the Redis: nodes begin one
// when they find none. A Redis that lost it gets it back from them within seconds. Who
// knows that there must be one learns so of a slip in the prefix.
func Exists(ctx context.Context, client redis.UniversalClient, prefix string) (bool, error) {
	n, err := client.Exists(ctx, newKeys(prefix).head).Result()
	if err != nil {
		return false, fmt.Errorf("look for a list: %w", err)
	}
	return n > 0, nil
}

// Inspect looks for settings of the Redis that can hurt the list with this prefix:
// that it evicts, keeps nothing on disk, has no replica, or can go on taking writes
// when it is cut off. It reads INFO, and CONFIG where that is allowed; what it may
// not read it does not judge.
func Inspect(ctx context.Context, client redis.UniversalClient, prefix string) ([]Finding, error) {
	on, cluster := redis.Cmdable(client), false
	if c, ok := client.(*redis.ClusterClient); ok {
		master, err := c.MasterForKey(ctx, newKeys(prefix).log)
		if err != nil {
			return nil, fmt.Errorf("inspect Redis: %w", err)
		}
		on, cluster = master, true
	}
	s := settings{}
	for _, section := range []string{"server", "memory", "persistence", "replication"} {
		text, err := on.Info(ctx, section).Result()
		if err != nil {
			return nil, fmt.Errorf("inspect Redis: %w", err)
		}
		s.read(text)
	}
	for _, name := range []string{"appendfsync", "save", "min-replicas-to-write", "min-replicas-max-lag"} {
		// Hosted ones often refuse.
		if values, err := on.ConfigGet(ctx, name).Result(); err == nil {
			s[name] = values[name]
		}
	}
	return s.judge(cluster), nil
}

// settings are what INFO and CONFIG GET tell, by name.
type settings map[string]string

func (s settings) read(info string) {
	for line := range strings.SplitSeq(info, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			s[name] = value
		}
	}
}

func (s settings) judge(cluster bool) (found []Finding) {
	bad := func(is bool, name, value, harm string) {
		if is {
			found = append(found, Finding{name, value, harm})
		}
	}
	bad(s.older(7), "redis_version", s["redis_version"], "scripts of the list are tested with 7.0 and later")
	policy := s["maxmemory_policy"]
	bad(policy != "noeviction", "maxmemory-policy", policy, "it drops marks when memory is short, and the nodes have to write them back; set noeviction")
	switch {
	case s["role"] == "slave":
		bad(true, "role", "replica", "it takes no marks; name the master")
	case s["connected_slaves"] == "0":
		bad(true, "connected_slaves", "0", "if this server is lost, marks are left on the nodes only; add a replica")
	case !cluster:
		n, known := s["min-replicas-to-write"]
		bad(known && n == "0", "min-replicas-to-write", n, "cut off from its replicas it goes on taking marks that a failover loses; set 1, or Config.Replicas to 1")
	}
	saves, known := s["save"]
	switch {
	case s["aof_enabled"] == "1":
		bad(s["appendfsync"] == "no", "appendfsync", "no", "a crash of the machine can lose half a minute of marks; set everysec")
	case known && saves != "":
		bad(true, "appendonly", "no", "a restart loses the marks since the last snapshot; set yes")
	default:
		bad(true, "appendonly", "no", "after a restart the marks are on the nodes only; set yes")
	}
	return found
}

func (s settings) older(than int) bool {
	major, _, _ := strings.Cut(s["redis_version"], ".")
	n, err := strconv.Atoi(major)
	return err == nil && n < than
}
