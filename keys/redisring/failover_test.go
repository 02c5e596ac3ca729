package redisring_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/keys"
)

// While the master dies in the middle of rotations no node refuses a good token,
// and what was said to be saved is there afterwards.
func TestSentinelFailoverDuringRotations(t *testing.T) {
	t.Parallel()
	f := redistest.StartFailover(t)
	fleet := newFleet(t, func(t testing.TB) redis.UniversalClient {
		return closing(t, redis.NewFailoverClient(&redis.FailoverOptions{MasterName: f.Name, SentinelAddrs: f.Addrs()}))
	})
	fleet.follow(1)
	fleet.survive(func() { f.Master().Kill() })
}

func TestClusterMasterKilledDuringRotations(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	fleet := newFleet(t, func(t testing.TB) redis.UniversalClient {
		return closing(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs()}))
	})
	fleet.follow(1)
	fleet.survive(func() { c.MasterOf("{web}:any").Kill() })
}

// survive rotates before, during and after a disaster. A rotation waits until the
// nodes have the key that it makes active, as the rule is.
func (f *fleet) survive(disaster func()) {
	f.Helper()
	saved := uint64(1)
	rotate := func() bool {
		f.work()
		set, err := f.admin.Edit(f.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Rotate("", true) })
		if err != nil {
			return false
		}
		if set.Generation() <= saved {
			f.Errorf("generation %d was saved after generation %d", set.Generation(), saved)
		}
		saved = set.Generation()
		redistest.Wait(f, "the nodes", func() bool {
			f.work()
			return f.mint.Generation() >= saved && f.verify.Generation() >= saved
		})
		return true
	}
	for range 5 {
		if !rotate() {
			f.Fatal("a rotation before the disaster failed")
		}
	}
	disaster()
	failed := 0
	redistest.Wait(f, "rotations to work again", func() bool {
		if rotate() {
			return true
		}
		failed++
		return false
	})
	for range 5 {
		if !rotate() {
			f.Error("a rotation after the disaster failed")
		}
	}
	f.Logf("%d rotations failed meanwhile, and said so; generation %d", failed, saved)
}
