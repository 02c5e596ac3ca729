package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/carnet-go/carnet/internal/markset"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// A point is the cost of one request at one size, and a curve how it grows.
type point struct {
	x    float64
	cost float64 // nanoseconds of processor time
}

type curve struct {
	name   string
	points []point
}

// tokens issues n of them with one ring.
func tokens(s token.Sealer, n int) []string {
	i := token.NewIssuer[flat](s, config)
	toks := make([]string, n)
	for k := range toks {
		toks[k], _, _ = i.Issue(subject+strconv.Itoa(k), flat{"Alice", "alice@example.com", "acme42"})
	}
	return toks
}

// requests returns an operation that verifies the tokens in a random order, each
// as often as the others, and asks the denylist.
func requests(v *token.Verifier[flat], toks []string) func() {
	walk := &struct {
		_     [128]byte // or two cores at work pass one line of their caches to and fro
		order []int
		next  int
		_     [128]byte
	}{order: rand.Perm(len(toks))}
	return func() {
		s, err := v.Verify(toks[walk.order[walk.next]])
		check(err)
		check(denylist().Check(context.Background(), s.Claims))
		walk.next = (walk.next + 1) % len(walk.order)
	}
}

// ringLike returns a ring of the same keys with a cache of its own.
func ringLike(r *keys.Ring, cache int) *keys.Ring {
	other := must(r.Set().Ring())
	other.SetCache(cache)
	return other
}

// keyGrowth measures how the number of keys in the ring shows.
func (p plan) keyGrowth() []curve {
	hot, cold := curve{name: "hot"}, curve{name: "cold"}
	set := must(keys.NewSet(keys.JWT, keys.Policy{}))
	sizes := []int{2, 5, 10, 20, 50, 100, 200}
	var toks []string
	var rows []*row
	for _, n := range sizes {
		for len(set.Keys()) < n {
			toks = append(toks, tokens(must(set.Ring()), 1)...)
			set = must(set.Rotate("", true))
		}
		ring := must(set.Ring())
		toks = append(toks, tokens(ring, 1)...)
		hotOp := requests(token.NewVerifier[flat](ringLike(ring, cacheSize), config), toks)
		for range toks {
			hotOp()
		}
		rows = append(rows,
			&row{name: "hot", op: hotOp},
			&row{name: "cold", op: requests(token.NewVerifier[flat](ringLike(ring, 0), config), toks)})
	}
	p.measure(rows)
	for i, n := range sizes {
		hot.points = append(hot.points, point{float64(n), rows[2*i].low()})
		cold.points = append(cold.points, point{float64(n), rows[2*i+1].low()})
	}
	return []curve{hot, cold}
}

// markGrowth measures how the number of marks shows: in the embedded list, and in the
// set that lists in files and in Redis ask, as each node has it.
func (p plan) markGrowth() []curve {
	memory, set := curve{name: "revocation.Memory"}, curve{name: "redislist, filelist"}
	ring := newRing(keys.JWT)
	v := token.NewVerifier[flat](ring, config)
	toks := tokens(ring, 100)
	verified := func(asked func(*token.Claims)) *row {
		next := 0
		return &row{op: func() {
			s, err := v.Verify(toks[next])
			check(err)
			asked(&s.Claims)
			next = (next + 1) % len(toks)
		}}
	}
	var rows []*row
	sizes := []int{0, 1_000, 100_000, 1_000_000, 10_000_000}
	for _, n := range sizes {
		marks := newMarks(n)
		rows = append(rows, verified(func(c *token.Claims) {
			if _, found := marks.Check(c); found {
				panic(errRefused)
			}
		}))
		if n <= mostInMemory {
			list := newDenylist(n)
			rows = append(rows, verified(func(c *token.Claims) { check(list.Check(context.Background(), *c)) }))
		}
	}
	p.measure(rows)
	for _, n := range sizes {
		x := float64(max(n, 1)) // the axis is logarithmic
		set.points = append(set.points, point{x, rows[0].low()})
		if rows = rows[1:]; n <= mostInMemory {
			memory.points = append(memory.points, point{x, rows[0].low()})
			rows = rows[1:]
		}
	}
	return []curve{set, memory}
}

// mostInMemory is what the embedded list holds unless it is told otherwise.
const mostInMemory = 1_000_000

// newMarks returns a set in which n sessions are taken back.
func newMarks(n int) *markset.Set {
	set := markset.New()
	load := set.Loader()
	for i := range n {
		load.Add(markset.NewEntry(markset.Session, fmt.Sprintf("session-%014d", i), "", time.Time{}, time.Now().Add(lifetime)))
	}
	load.Flush()
	return set
}

// cores returns how many times as many hot requests two cores serve as one:
// by processor time, as the machine may give the second core to others. What others do to
// the memory that both share shows for seconds, so it takes some.
func cores(toks int) (scale float64) {
	ring := newRing(keys.JWT)
	all := tokens(ring, toks)
	v := token.NewVerifier[flat](ring, config)
	var one, two []float64
	for range 240 {
		one = append(one, parallel(v, all, 1))
		two = append(two, parallel(v, all, 2))
	}
	return 2 * quantile(one, 0.2) / quantile(two, 0.2)
}

// parallel returns the processor time of a request with n cores at work.
func parallel(v *token.Verifier[flat], toks []string, n int) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	const each = 50_000
	var wg sync.WaitGroup
	start := processor()
	for range n {
		op := requests(v, toks)
		wg.Go(func() {
			for range each {
				op()
			}
		})
	}
	wg.Wait()
	return float64(processor()-start) / float64(n*each)
}

// A footing is the memory that sessions take on a node, in bytes.
type footing struct {
	cached, off float64 // a session, in the cache and without one
	full        float64 // the whole cache when it is full
}

func memory(w work) (m footing) {
	ring := newRing(keys.JWT)
	i := token.NewIssuer[user](ring, config)
	toks := make([]string, 18_000)
	for k := range toks {
		toks[k] = must1(i.Issue(subject, w.data))
	}
	used := func(toks []string, cache int) float64 {
		r := ringLike(ring, cache)
		v := token.NewVerifier[user](r, config)
		before := live()
		for _, tok := range toks {
			must(v.Verify(tok))
		}
		defer runtime.KeepAlive(r)
		return max(live()-before, 0)
	}
	const some = 1500
	grown := used(toks[:2*some], cacheSize) - used(toks[:some], cacheSize) // both have the table
	m = footing{grown / some, used(toks[:some], 0) / some, used(toks, cacheSize)}
	runtime.KeepAlive(toks)
	return m
}

// live returns the bytes on the heap that are in use.
func live() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func must1[T, U any](v T, _ U, err error) T {
	check(err)
	return v
}
