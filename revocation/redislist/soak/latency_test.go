package soak

import (
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
)

// From the call of Revoke on one node until two others refuse.
func spread(t *testing.T, a *redislist.List, others []*redislist.List, n int) (took []time.Duration) {
	for range n {
		c := login()
		var mu sync.Mutex
		var latest time.Duration
		var seen sync.WaitGroup
		start := time.Now()
		for _, l := range others {
			seen.Go(func() {
				for !refused(l, c) && time.Since(start) < patience {
					time.Sleep(20 * time.Microsecond)
				}
				mu.Lock()
				defer mu.Unlock()
				latest = max(latest, time.Since(start))
			})
		}
		if err := a.Revoke(t.Context(), revocation.Session(c)); err != nil {
			t.Fatal(err)
		}
		seen.Wait()
		took = append(took, latest)
		time.Sleep(2 * time.Millisecond) // or it would be a bulk load
	}
	return took
}

func TestARevocationSpreads(t *testing.T) {
	s := redistest.Start(t)
	lists := []*redislist.List{}
	for range 3 {
		lists = append(lists, open(t, connect(t, s.Addr), redislist.Config{}))
	}
	ready(t, lists...)
	took := spread(t, lists[0], lists[1:], size(100, 2000))
	t.Logf("connected: %s", summary(took))
	if percentile(took, 1) > patience/2 {
		t.Error("a revocation does not reach the others")
	}
}

// A Redis whose rules forbid the reading that waits: heartbeats find out.
func TestARevocationSpreadsWithoutPush(t *testing.T) {
	s := redistest.Start(t)
	s.Must("ACL", "SETUSER", "nopush", "on", "nopass", "~*", "&*", "+@all", "-xread")
	lists := []*redislist.List{open(t, connect(t, s.Addr), redislist.Config{})}
	for range 2 {
		o := options(s.Addr)
		o.Username, o.Password = "nopush", "any"
		lists = append(lists, open(t, closing(t, redis.NewClient(o)), redislist.Config{}))
	}
	ready(t, lists...)
	took := spread(t, lists[0], lists[1:], size(3, 50))
	t.Logf("without push: %s", summary(took))
	if percentile(took, 1) > patience/2 {
		t.Error("a revocation does not reach the others")
	}
}
