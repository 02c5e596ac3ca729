package soak

import (
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	toxi "github.com/Shopify/toxiproxy/v2/client"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
)

// poison returns a proxy before Redis that can be given toxics.
func poison(t *testing.T, target string) *toxi.Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	host, port, _ := net.SplitHostPort(addr)
	l.Close()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	go server.Listen(host, port)
	c := toxi.NewClient(addr)
	var p *toxi.Proxy
	redistest.Wait(t, "toxiproxy", func() bool {
		p, err = c.CreateProxy("redis", "127.0.0.1:0", target)
		return err == nil
	})
	return p
}

// A fault is switched on and off again.
type fault struct {
	name    string
	on, off func()
}

func faults(t *testing.T, s *redistest.Server, p *toxi.Proxy) []fault {
	toxic := func(kind, stream string, a toxi.Attributes) (on, off func()) {
		on = func() {
			if _, err := p.AddToxic("x", kind, stream, 1, a); err != nil {
				t.Fatal(err)
			}
		}
		return on, func() { p.RemoveToxic("x") }
	}
	all := []fault{{"hung", s.Freeze, s.Thaw}}
	add := func(name, kind, stream string, a toxi.Attributes) {
		on, off := toxic(kind, stream, a)
		all = append(all, fault{name, on, off})
	}
	add("a byte per 100 ms", "slicer", "downstream", toxi.Attributes{"average_size": 1, "size_variation": 0, "delay": 100_000})
	add("two seconds late", "latency", "downstream", toxi.Attributes{"latency": 2000})
	add("resetting", "reset_peer", "downstream", toxi.Attributes{"timeout": 0})
	add("half open", "timeout", "downstream", toxi.Attributes{"timeout": 0})
	return all
}

// ours counts the goroutines that run a list.
func ours() int {
	b := make([]byte, 1<<20)
	n := 0
	for g := range strings.SplitSeq(string(b[:runtime.Stack(b, true)]), "\n\n") {
		if strings.Contains(g, "redislist.(*List)") {
			n++
		}
	}
	return n
}

// checks returns how long checks take, one per millisecond.
func checks(l *redislist.List, d time.Duration) (took []time.Duration) {
	c := login()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Millisecond) {
		start := time.Now()
		l.Look(c)
		took = append(took, time.Since(start))
	}
	return took
}

func TestASlowRedisSlowsNoRequest(t *testing.T) {
	s := redistest.Start(t)
	p := poison(t, s.Addr)
	for _, f := range faults(t, s, p) {
		t.Run(f.name, func(t *testing.T) {
			c := connect(t, p.Listen)
			l := open(t, c, redislist.Config{})
			ready(t, l)
			time.Sleep(time.Second)
			goroutines, conns := ours(), c.PoolStats().TotalConns
			before := checks(l, time.Second)
			f.on()
			during := make(chan []time.Duration, 1)
			go func() { during <- checks(l, span(4*time.Second, 30*time.Second)) }()
			most, mostConns, revokes := 0, uint32(0), []time.Duration(nil)
			var took []time.Duration
			for took == nil {
				select {
				case took = <-during:
				case <-time.After(50 * time.Millisecond):
					start := time.Now()
					l.Revoke(t.Context(), revocation.Session(login()))
					revokes = append(revokes, time.Since(start))
					most, mostConns = max(most, ours()), max(mostConns, c.PoolStats().TotalConns)
				}
			}
			f.off()
			healed := time.Now()
			waitFor(t, "a fresh copy", func() bool { return l.Age() < 4*time.Second })
			t.Logf("checks before: %s; during: %s; Revoke: %s", summary(before), summary(took), summary(revokes))
			t.Logf("fresh %v after; goroutines %d, at most %d; connections %d, at most %d", time.Since(healed), goroutines, most, conns, mostConns)
			if percentile(took, 0.5) > percentile(before, 0.5)+2*time.Millisecond {
				t.Error("checks wait for Redis")
			}
			if percentile(revokes, 1) > 10*time.Second {
				t.Error("Revoke waits for ever")
			}
			if most > goroutines+60 || mostConns > 20 {
				t.Error("the calls pile up")
			}
			waitFor(t, "the goroutines to end", func() bool { return ours() <= goroutines+5 })
		})
	}
}

// A client that looks at no deadline makes everything later, and nothing wrong.
func TestAClientWithoutDeadlines(t *testing.T) {
	s := redistest.Start(t)
	c := closing(t, redis.NewClient(&redis.Options{Addr: s.Addr}))
	l := open(t, c, redislist.Config{})
	ready(t, l)
	s.Freeze()
	start := time.Now()
	for range 20 {
		if err := l.Revoke(t.Context(), revocation.Session(login())); err == nil {
			t.Error("a hung Redis confirmed a revocation")
		}
	}
	took := time.Since(start)
	t.Logf("20 revocations on a hung Redis: %v", took)
	s.Thaw()
	waitFor(t, "a fresh copy", func() bool { return l.Age() < 4*time.Second })
	if took > 20*time.Second {
		t.Error("there is no breaker")
	}
}
