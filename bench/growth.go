package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"

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

const (
	cacheSize = 32 << 20
	distinct  = 100_000 // tokens that are really there
	fitting   = 10_000  // the last size of which all sessions fit the cache
)

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
func requests(ring *keys.Ring, toks []string) func() {
	v := token.NewVerifier[flat](ring, config)
	order := rand.Perm(len(toks))
	next := 0
	return func() {
		s, err := v.Verify(toks[order[next]])
		check(err)
		check(denylist().Check(context.Background(), s.Claims))
		if next++; next == len(order) {
			next = 0
		}
	}
}

// sessionGrowth measures by turns how the number of live sessions shows. Of more
// than there are tokens it takes that none comes back before it was forgotten,
// which is the worst that can be.
func (p plan) sessionGrowth() []curve {
	hot, cold := curve{name: "cache of 32 MiB"}, curve{name: "no cache"}
	ring := newRing(keys.JWT)
	all := tokens(ring, distinct)
	var rows []*row
	sizes := []int{10, 100, 1_000, 5_000, 10_000, 20_000, 50_000, distinct, 1_000_000, 10_000_000}
	for _, n := range sizes {
		some := all[:min(n, distinct)]
		cached := ringLike(ring, cacheSize)
		op := requests(cached, some)
		warm := 2 * len(some)
		if n > distinct {
			warm = 20_000 // fill the cache, and go on with what is not in it
		}
		for range warm {
			op()
		}
		rows = append(rows, &row{name: fmt.Sprint(n), op: op})
	}
	none := ringLike(ring, 0)
	rows = append(rows, &row{name: "none", op: requests(none, all)})
	p.measure(rows)
	for i, n := range sizes {
		hot.points = append(hot.points, point{float64(n), rows[i].low()})
		cold.points = append(cold.points, point{float64(n), rows[len(sizes)].low()})
	}
	return []curve{hot, cold}
}

// cacheBounds says how the curve with a cache keeps to what it is held against: flat up to
// the last size that fits, and no dearer than the one without beyond it.
func cacheBounds(hot, cold curve) string {
	fits, beyond := 0.0, 0.0
	for i, p := range hot.points {
		if p.x <= fitting {
			fits = max(fits, p.cost/hot.points[0].cost)
		} else {
			beyond = max(beyond, p.cost/cold.points[i].cost)
		}
	}
	return fmt.Sprintf("Up to %s live sessions, which fit the cache, a verification costs at most %.2f times what it does with %s (bound 1.5: %s). Beyond it costs at most %.3f times what it does without a cache (bound 1.0: %s; the noise is about 3 %%).\n\n",
		count(fitting), fits, count(hot.points[0].x), kept(fits, 1.5), beyond, kept(beyond, 1.0))
}

func kept(v, bound float64) string {
	if v <= bound {
		return "holds"
	}
	return "**does not hold**"
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
		hotOp := requests(ringLike(ring, cacheSize), toks)
		for range toks {
			hotOp()
		}
		rows = append(rows,
			&row{name: "hot", op: hotOp},
			&row{name: "cold", op: requests(ringLike(ring, 0), toks)})
	}
	p.measure(rows)
	for i, n := range sizes {
		hot.points = append(hot.points, point{float64(n), rows[2*i].low()})
		cold.points = append(cold.points, point{float64(n), rows[2*i+1].low()})
	}
	return []curve{hot, cold}
}

// markGrowth measures how the number of marks in the embedded list shows.
func (p plan) markGrowth() []curve {
	c := curve{name: "hot, revocation.Memory"}
	ring := newRing(keys.JWT)
	v := token.NewVerifier[flat](ring, config)
	toks := tokens(ring, 100)
	sizes := []int{1, 1_000, 10_000, 100_000, 300_000}
	var rows []*row
	for _, n := range sizes {
		list, next := newDenylist(n), 0
		rows = append(rows, &row{name: fmt.Sprint(n), op: func() {
			s, err := v.Verify(toks[next])
			check(err)
			check(list.Check(context.Background(), s.Claims))
			next = (next + 1) % len(toks)
		}})
	}
	p.measure(rows)
	for i, n := range sizes {
		c.points = append(c.points, point{float64(n), rows[i].low()})
	}
	return []curve{c}
}

// cores returns how many times as many hot requests two cores serve as one:
// by processor time, as the machine may give the second core to others.
func cores(toks int) (scale float64) {
	ring := newRing(keys.JWT)
	all := tokens(ring, toks)
	var one, two []float64
	for range 12 {
		one = append(one, parallel(ring, all, 1))
		two = append(two, parallel(ring, all, 2))
	}
	return 2 * quantile(one, 0.2) / quantile(two, 0.2)
}

// parallel returns the processor time of a request with n cores at work.
func parallel(ring *keys.Ring, toks []string, n int) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	const each = 50_000
	var wg sync.WaitGroup
	start := processor()
	for range n {
		op := requests(ring, toks)
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
	const some = 3000
	m = footing{used(toks[:some], cacheSize) / some, used(toks[:some], 0) / some, used(toks, cacheSize)}
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
