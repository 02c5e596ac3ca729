package soak

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// healed checks, five seconds after everything works again, that no session is
// accepted anywhere whose revocation was acknowledged.
func healed(t *testing.T, round int, lists map[string]*redislist.List, acked []token.Claims) {
	t.Helper()
	time.Sleep(5 * time.Second)
	for name, l := range lists {
		if n := accepted(l, acked); n > 0 {
			t.Errorf("round %d: node %s accepts %d of %d revoked sessions", round, name, n, len(acked))
		}
	}
}

// The master dies, and what it has confirmed and not sent on dies with it.
func TestNoRevocationIsLostWhenTheMasterDies(t *testing.T) {
	f := redistest.StartFailover(t)
	client := func() redis.UniversalClient {
		return closing(t, redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: f.Name, SentinelAddrs: f.Addrs(), ContextTimeoutEnabled: true,
			DialTimeout: time.Second, ReadTimeout: 2 * time.Second, MaxRetries: 1,
		}))
	}
	lists := map[string]*redislist.List{}
	var all []*redislist.List
	for _, name := range []string{"A", "B", "C"} {
		lists[name] = open(t, client(), redislist.Config{})
		all = append(all, lists[name])
	}
	ready(t, all...)
	var total, unconfirmed int
	for round := range size(1, 20) {
		w := revoking(all, 3, 5*time.Millisecond)
		waitFor(t, "acknowledgements", func() bool { return w.count() > size(1000, 20_000) })
		old := f.Master()
		old.Kill()
		redistest.Wait(t, "another master", func() bool { m := f.Master(); return m != nil && m != old })
		n := w.count()
		waitFor(t, "acknowledgements of the new master", func() bool { return w.count() > n+200 })
		old.Start()
		acked := w.finish()
		total, unconfirmed = total+len(acked), unconfirmed+int(w.unconfirmed.Load())
		healed(t, round, lists, acked)
		if w.other.Load() > 0 {
			t.Errorf("round %d: %d errors were no ErrNotConfirmed, or the node accepts the session", round, w.other.Load())
		}
		t.Logf("round %d: %d acknowledged, %d not confirmed, none acknowledged for %v", round, len(acked), w.unconfirmed.Load(), time.Duration(w.gap.Load()))
		late := open(t, client(), redislist.Config{})
		ready(t, late)
		healed(t, round, map[string]*redislist.List{"that started late": late}, acked)
		late.Close()
		waitFor(t, "both replicas", f.Whole)
	}
	t.Logf("%d acknowledged, %d not confirmed", total, unconfirmed)
}

// A side of a partition: who is on it, and whom it reaches.
type side struct {
	servers   []*redistest.Proxy // the way to each server
	sentinels []*redistest.Proxy
}

func newSide(t *testing.T, f *redistest.Failover) *side {
	s := &side{}
	for _, server := range f.Servers {
		s.servers = append(s.servers, redistest.NewProxy(t, server.Addr))
	}
	for _, server := range f.Sentinels {
		s.sentinels = append(s.sentinels, redistest.NewProxy(t, server.Addr))
	}
	return s
}

// client returns a client that reaches everything by way of its side.
func (s *side) client(t *testing.T, f *redistest.Failover) redis.UniversalClient {
	var addrs []string
	for _, p := range s.sentinels {
		addrs = append(addrs, p.Addr)
	}
	return closing(t, redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: f.Name, SentinelAddrs: addrs, ContextTimeoutEnabled: true,
		DialTimeout: time.Second, ReadTimeout: 2 * time.Second, MaxRetries: 1,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			for i, server := range f.Servers {
				if f.At(addr) == server {
					addr = s.servers[i].Addr
				}
			}
			for i, server := range f.Sentinels {
				if server.Addr == addr { // one that another Sentinel told of
					addr = s.sentinels[i].Addr
				}
			}
			return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, addr)
		},
	}))
}

// The master is cut off with some of the nodes, and goes on taking their writes,
// while the others elect another one. With replicas asked for it confirms none of
// these; without, the nodes write them back.
func TestNoRevocationIsLostInAPartition(t *testing.T) {
	for name, config := range map[string]redislist.Config{
		"one replica": {Replicas: 1},
		"no replicas": {},
	} {
		t.Run(name, func(t *testing.T) { partition(t, config, size(1, 10)) })
	}
}

func partition(t *testing.T, config redislist.Config, rounds int) {
	f := redistest.StartPartitionable(t, "--repl-ping-replica-period", "1", "--repl-timeout", "5")
	minority, majority := newSide(t, f), newSide(t, f)
	lists := map[string]*redislist.List{
		"A": open(t, minority.client(t, f), config),
		"B": open(t, minority.client(t, f), config),
		"C": open(t, majority.client(t, f), config),
	}
	all := []*redislist.List{lists["A"], lists["B"], lists["C"]}
	ready(t, all...)
	var total, unconfirmed, behind int
	for round := range rounds {
		w := revoking(all, 3, 5*time.Millisecond)
		waitFor(t, "acknowledgements", func() bool { return w.count() > size(1000, 20_000) })
		old := f.Master()
		set := func(change func(*redistest.Proxy)) {
			for i, server := range f.Servers {
				if server == old {
					change(f.Links[i])          // from the Sentinels and the replicas
					change(majority.servers[i]) // from the node that is with them
				} else {
					change(minority.servers[i])
				}
			}
			for _, p := range minority.sentinels {
				change(p)
			}
		}
		set((*redistest.Proxy).Freeze)
		before := w.count()
		redistest.Wait(t, "another master", func() bool { m := f.Master(); return m != nil && m != old })
		time.Sleep(3 * time.Second)
		behind += w.count() - before
		sessions := w.finish()
		set((*redistest.Proxy).Heal)
		total, unconfirmed = total+len(sessions), unconfirmed+int(w.unconfirmed.Load())
		healed(t, round, lists, sessions)
		waitFor(t, "both replicas", f.Whole)
		late := open(t, majority.client(t, f), config)
		ready(t, late)
		healed(t, round, map[string]*redislist.List{"that started late": late}, sessions)
		late.Close()
		if w.other.Load() > 0 {
			t.Errorf("round %d: %d errors were no ErrNotConfirmed, or the node accepts the session", round, w.other.Load())
		}
		t.Logf("round %d: %d acknowledged, %d not confirmed", round, len(sessions), w.unconfirmed.Load())
	}
	t.Logf("%d acknowledged, %d of them in the partition, %d not confirmed", total, behind, unconfirmed)
}
