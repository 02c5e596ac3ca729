package hot_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/carnet-go/carnet/internal/hot"
)

// full returns a cache that is full, with nearly all tokens from 0 to n in it: a few
// find their place taken before.
func full(t *testing.T, max int, digest bool) (c *hot.Cache, n int) {
	t.Helper()
	c = hot.New(max, digest)
	for turned := 0; turned < 20; n++ {
		c.Add(tok(n), c, n, size)
		if turned++; hits(c, n, n+1) == 1 {
			turned = 0
		}
	}
	if held := c.Size(); held < max*9/10 || hits(c, 0, n) < n*8/10 {
		t.Fatalf("%d tokens are turned away with %d bytes held", n-hits(c, 0, n), held)
	}
	return c, n
}

const size = 1000

// hits returns how many of the tokens from first to last are in.
func hits(c *hot.Cache, first, last int) (n int) {
	for i := first; i < last; i++ {
		if v, ok := c.Get(tok(i), c); ok && v == i {
			n++
		}
	}
	return n
}

// walk asks for the tokens from first to last, and adds those that are not in.
func walk(c *hot.Cache, first, last int) (hits int) {
	for i := first; i < last; i++ {
		if _, ok := c.Get(tok(i), c); ok {
			hits++
		} else {
			c.Add(tok(i), c, i, size)
		}
	}
	return hits
}

func TestAFullCacheTakesWhatComesTwice(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		c, n := full(t, 1<<20, digest)
		for i := n + 1; i < n+100; i++ {
			c.Add(tok(i), c, i, size)
			if _, ok := c.Get(tok(i), c); ok {
				t.Fatal("it took what came once")
			}
			c.Add(tok(i), c, i, size)
			if v, ok := c.Get(tok(i), c); !ok || v != i {
				t.Fatal("it did not take what came twice")
			}
		}
	})
}

func TestAFullCacheStillReplaces(t *testing.T) {
	c, _ := full(t, 1<<20, false)
	c.Add(tok(0), c, "new", size)
	if v, ok := c.Get(tok(0), c); !ok || v != "new" {
		t.Errorf("got %v", v)
	}
}

func TestAFloodOfTokensThatComeOnceChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		c, n := full(t, 1<<20, digest)
		held := hits(c, 0, n)
		walk(c, 1_000_000, 1_000_000+50*n)
		if kept := hits(c, 0, n); kept < held-1 {
			t.Errorf("%d of %d are left", kept, held)
		}
	})
}

// Ten times as many sessions as have room, each after all others: nobody gets in
// anew, and those who are in have their hit.
func TestAWalkOverManyMoreThanFit(t *testing.T) {
	c, n := full(t, 1<<20, false)
	held := hits(c, 0, n)
	for range 5 {
		if got := walk(c, 0, 10*n); got < held*97/100 {
			t.Errorf("%d hits with %d in the cache", got, held)
		}
	}
}

// A cache full of sessions that nobody uses any more is no reason to keep out those
// who come now, whatever their order.
func TestTheDeadMakeWay(t *testing.T) {
	c, n := full(t, 1<<20, false)
	live := n / 2
	rounds := 0
	for walk(c, n, n+live) < live*9/10 {
		if rounds++; rounds == 8 {
			t.Fatal("after eight requests of each, one in ten is still not in")
		}
	}
}

func TestBeingTurnedAwayAllocatesNothing(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		c, n := full(t, 1<<18, digest)
		toks := make([]string, 1000)
		for i := range toks {
			toks[i] = tok(n + 1 + i)
		}
		next, value := 0, any(c)
		if got := testing.AllocsPerRun(900, func() {
			c.Add(toks[next], c, value, size)
			next++
		}); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

// Readers and writers of a full cache, of some tokens that are in use and many that
// come once.
func TestAFullCacheOfMany(t *testing.T) {
	const max = 1 << 18
	c, n := full(t, max, false)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1500 {
				at := i % 50
				if i%3 == g%3 {
					at = n + i*8 + g
				}
				if v, ok := c.Get(tok(at), c); ok && v != at {
					t.Errorf("%d became %v", at, v)
				} else if !ok {
					c.Add(tok(at), c, at, size)
				}
				if held := c.Size(); held > max {
					t.Errorf("%d bytes are held", held)
				}
			}
		})
	}
	wg.Wait()
	if kept := hits(c, 0, 50); kept < 40 {
		t.Errorf("%d of 50 that are in use are in", kept)
	}
}

// What a full cache takes on the heap is what it was given, and not much less.
func TestTheHeapHoldsNoMore(t *testing.T) {
	const max = 8 << 20
	for _, size := range []int{100, 304, 600, 2500, 5000} {
		each(t, func(t *testing.T, digest bool) {
			before := heap()
			c := hot.New(max, digest)
			for i := range 3 * max / (size + 200) {
				value := make([]byte, size)
				c.Add(tok(i), c, &value, size+24)
			}
			taken := heap() - before
			if taken > max || size > 500 && taken < max*7/10 {
				t.Errorf("values of %d bytes: %.2f MiB of %d", size, float64(taken)/(1<<20), max>>20)
			}
			runtime.KeepAlive(c)
		})
	}
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// However it is used, a hit is what was added of that token and by that user, and
// the bound holds.
func FuzzCache(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint16(3000), false)
	f.Add([]byte{0, 128, 0, 128, 64, 192, 64, 192, 1, 129, 1, 129}, uint16(9000), true)
	f.Add([]byte{255, 254, 253, 252, 255, 254, 253, 252, 127, 126, 125, 124}, uint16(20000), false)
	f.Fuzz(func(t *testing.T, ops []byte, max uint16, digest bool) {
		c, users := hot.New(int(max), digest), []*int{new(int), new(int)}
		type who struct{ tok, by int }
		added := map[int]who{}
		for i, op := range ops {
			w := who{int(op >> 1 & 31), int(op & 1)}
			if op >= 128 {
				c.Add(tok(w.tok), users[w.by], i, int(op>>6&1)*1500)
				added[i] = w
			}
			if v, ok := c.Get(tok(w.tok), users[w.by]); ok && added[v.(int)] != w {
				t.Fatalf("%v was added for %v, not for %v", v, added[v.(int)], w)
			}
			if c.Size() > int(max) {
				t.Fatalf("%d bytes of %d are held", c.Size(), max)
			}
		}
	})
}

// Whatever a session takes, a full cache turns away what comes once. How much is free
// then depends on the size.
func TestAFloodOfAnySize(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		for size := 300; size < 3000; size += 37 {
			c := hot.New(1<<18, digest)
			for i := range 2000 {
				c.Add(tok(i), c, i, size)
			}
			if kept := hits(c, 0, 60); kept < 50 {
				t.Errorf("values of %d bytes: %d of the first 60 are left", size, kept)
			}
		}
	})
}
