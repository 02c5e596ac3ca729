package redisring

import (
	"context"
	"fmt"
	"strings"
)

// Settings returns what hurts a ring in how the server is set up, and what to do
// about it. It asks the master of the ring. A hosted server may not tell its
// configuration; what it does not tell is not judged.
func (s *Store) Settings(ctx context.Context) (problems []string, err error) {
	return do(ctx, s, "ask for the settings", func(ctx context.Context) ([]string, error) {
		conn, err := s.connection(ctx)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		info, err := conn.Info(ctx).Result()
		if err != nil {
			return nil, err
		}
		config := map[string]string{}
		for _, name := range []string{"maxmemory", "maxmemory-policy", "appendonly", "save"} {
			values, err := conn.ConfigGet(ctx, name).Result()
			if err != nil {
				break // it does not tell
			}
			config[name] = values[name]
		}
		return judge(fields(info), config), nil
	})
}

func fields(info string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			m[name] = value
		}
	}
	return m
}

func judge(info, config map[string]string) (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if policy := config["maxmemory-policy"]; strings.HasPrefix(policy, "allkeys-") {
		add("it evicts keys when its memory is full (maxmemory-policy %s), the ring too: CONFIG SET maxmemory-policy noeviction", policy)
	}
	if config["appendonly"] == "no" && config["save"] == "" {
		add("it keeps nothing on disk: after a restart the ring is gone until a node puts it back: CONFIG SET appendonly yes")
	}
	if role := info["role"]; role != "master" {
		add("it is a %s: changes need a master", role)
	}
	for name, what := range map[string]string{
		"aof_last_write_status": "append to its file", "rdb_last_bgsave_status": "write its snapshot",
	} {
		if info[name] == "err" {
			add("the last time it could not %s: see its log", what)
		}
	}
	if info["role"] == "master" && info["connected_slaves"] == "0" {
		add("it has no replica: if it dies, the ring lives on in the nodes only: add one")
	}
	return problems
}
