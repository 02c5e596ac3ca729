package redislist_test

import (
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation/redislist"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	alone := func(args ...string) func(t *testing.T) redis.UniversalClient {
		return func(t *testing.T) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: redistest.Start(t, args...).Addr})
		}
	}
	failover := func(args ...string) func(t *testing.T) redis.UniversalClient {
		return func(t *testing.T) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: redistest.StartFailover(t, args...).Master().Addr})
		}
	}
	for name, tt := range map[string]struct {
		start func(t *testing.T) redis.UniversalClient
		want  []string
	}{
		"a bare one":   {alone(), []string{"connected_slaves", "appendonly"}},
		"it evicts":    {alone("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", "--appendonly", "yes"), []string{"maxmemory-policy", "connected_slaves"}},
		"it syncs not": {alone("--appendonly", "yes", "--appendfsync", "no"), []string{"connected_slaves", "appendfsync"}},
		"it snapshots": {alone("--save", "3600 1"), []string{"connected_slaves", "appendonly"}},
		"CONFIG is refused": {func(t *testing.T) redis.UniversalClient {
			s := redistest.Start(t, "--appendonly", "yes")
			s.Must("ACL", "SETUSER", "default", "-config")
			return redis.NewClient(&redis.Options{Addr: s.Addr})
		}, []string{"connected_slaves"}},
		"writes without a replica": {failover("--appendonly", "yes"), []string{"min-replicas-to-write"}},
		"as it should be":          {failover("--appendonly", "yes", "--min-replicas-to-write", "1"), nil},
		"a cluster": {func(t *testing.T) redis.UniversalClient {
			return redis.NewClusterClient(&redis.ClusterOptions{Addrs: redistest.StartCluster(t, "--appendonly", "yes").Addrs()})
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			client := tt.start(t)
			defer client.Close()
			found, err := redislist.Inspect(t.Context(), client, "web:")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				if got = append(got, f.Setting); f.Value == "" || f.Harm == "" {
					t.Errorf("%v says too little", f)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("found %v, want %v", found, tt.want)
			}
		})
	}
	down := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer down.Close()
	if _, err := redislist.Inspect(t.Context(), down, ""); err == nil {
		t.Error("a Redis that is down has no findings")
	}
}
