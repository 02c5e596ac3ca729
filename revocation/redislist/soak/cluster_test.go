package soak

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// The master of the list's slot dies. Writes are normal again after the cluster's
// node timeout of two seconds and at most three more.
func TestAClusterLosesAMaster(t *testing.T) {
	for name, config := range map[string]redislist.Config{"no replicas": {}, "one replica": {Replicas: 1}} {
		t.Run(name, func(t *testing.T) { clusterLoses(t, config) })
	}
}

func clusterLoses(t *testing.T, config redislist.Config) {
	c := redistest.StartCluster(t)
	lists := map[string]*redislist.List{}
	var all []*redislist.List
	for _, name := range []string{"A", "B", "C"} {
		l := open(t, closing(t, redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: c.Addrs(), ContextTimeoutEnabled: true, DialTimeout: time.Second, ReadTimeout: 2 * time.Second,
		})), config)
		lists[name], all = l, append(all, l)
	}
	ready(t, all...)
	old := c.MasterOf(headKey)
	if config.Replicas > 0 {
		c.Replicate(t, old) // or the new master would have none
	}
	w := revoking(all, 3, 5*time.Millisecond)
	time.Sleep(time.Second)
	old.Kill()
	killed := time.Now()
	var elected atomic.Int64
	go func() {
		for elected.Load() == 0 && t.Context().Err() == nil {
			for _, s := range c.Servers {
				if _, err := s.Do("TYPE", headKey); s != old && err == nil {
					elected.Store(int64(time.Since(killed)))
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	var sessions []token.Claims
	n := w.count()
	waitFor(t, "acknowledgements of the new master", func() bool { return w.count() > n+100 })
	t.Logf("writes are normal %v after the kill, the cluster %v", time.Since(killed), time.Duration(elected.Load()))
	sessions = w.finish()
	healed(t, 0, lists, sessions)
	late := open(t, closing(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs(), ContextTimeoutEnabled: true})), config)
	ready(t, late)
	healed(t, 0, map[string]*redislist.List{"that started late": late}, sessions)
	t.Logf("%d acknowledged, %d not confirmed, none acknowledged for %v", len(sessions), w.unconfirmed.Load(), time.Duration(w.gap.Load()))
	if w.other.Load() > 0 {
		t.Errorf("%d errors were no ErrNotConfirmed", w.other.Load())
	}
}
