// Package refreshtest has the tests that every [refresh.Store] must pass.
package refreshtest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw/refresh"
)

// long is a grace that no test outlives.
const long = time.Hour

// TestStore tests stores that open returns, each empty.
func TestStore(t *testing.T, open func(t *testing.T) refresh.Store) {
	t.Run("a chain", func(t *testing.T) { testChain(t, open(t)) })
	t.Run("within the grace", func(t *testing.T) { testGrace(t, open(t)) })
	t.Run("after the grace", func(t *testing.T) { testOver(t, open(t)) })
	t.Run("reuse", func(t *testing.T) { testReuse(t, open) })
	t.Run("unknown", func(t *testing.T) { testUnknown(t, open(t)) })
	t.Run("at the same time", func(t *testing.T) { testParallel(t, open(t)) })
	t.Run("thieves at the same time", func(t *testing.T) { testParallelReuse(t, open(t)) })
	t.Run("a time that has passed", func(t *testing.T) { testPassed(t, open(t)) })
}

type step struct {
	from  int64
	grace time.Duration
	want  int64
	err   error
}

func walk(t *testing.T, s refresh.Store, session string, steps []step) {
	t.Helper()
	for i, st := range steps {
		got, err := s.Advance(t.Context(), session, st.from, st.grace, soon())
		if got != st.want || !errors.Is(err, st.err) {
			t.Errorf("step %d: Advance from %d gives %d, %v, want %d, %v", i, st.from, got, err, st.want, st.err)
		}
	}
}

func soon() time.Time { return time.Now().Add(time.Hour) }

func put(t *testing.T, s refresh.Store, session string, generation int64) {
	t.Helper()
	if err := s.Put(t.Context(), session, generation, soon()); err != nil {
		t.Fatal(err)
	}
}

func testChain(t *testing.T, s refresh.Store) {
	put(t, s, "a", 0)
	put(t, s, "b", 7)
	for g := range int64(20) {
		walk(t, s, "a", []step{{g, 0, g + 1, nil}})
	}
	walk(t, s, "b", []step{{7, 0, 8, nil}})
	const last = 1<<53 - 2
	put(t, s, "long", last)
	walk(t, s, "long", []step{{last, 0, last + 1, nil}})
}

func testGrace(t *testing.T, s refresh.Store) {
	put(t, s, "a", 0)
	walk(t, s, "a", []step{
		{0, long, 1, nil}, // Put has no grace
		{0, long, 1, nil},
		{1, long, 1, nil}, // one step in a grace
		{0, long, 1, nil},
		{1, 0, 2, nil},
		{1, long, 2, nil},
		{0, long, 0, refresh.ErrReused}, // two generations back
	})
	put(t, s, "b", 5)
	walk(t, s, "b", []step{{4, long, 0, refresh.ErrReused}})
}

// Only a store's own clock tells that a grace is over.
func testOver(t *testing.T, s refresh.Store) {
	const grace = 100 * time.Millisecond
	put(t, s, "a", 0)
	walk(t, s, "a", []step{{0, grace, 1, nil}})
	until(t, "the next generation", func() bool {
		g, err := s.Advance(t.Context(), "a", 1, grace, soon())
		return g == 2 && err == nil
	})
	until(t, "an old token to be theft", func() bool {
		_, err := s.Advance(t.Context(), "a", 1, grace, soon())
		return errors.Is(err, refresh.ErrReused)
	})
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func testReuse(t *testing.T, open func(t *testing.T) refresh.Store) {
	for _, from := range []int64{0, 1, 2} {
		s := open(t)
		put(t, s, "a", 0)
		walk(t, s, "a", []step{{0, 0, 1, nil}, {1, 0, 2, nil}, {2, 0, 3, nil}, {from, 0, 0, refresh.ErrReused}})
		put(t, s, "a", 9)
		for _, later := range []int64{0, 2, 3, 4, 9} {
			walk(t, s, "a", []step{{later, long, 0, refresh.ErrReused}})
		}
		put(t, s, "b", 0)
		walk(t, s, "b", []step{{0, 0, 1, nil}})
	}
}

func testUnknown(t *testing.T, s refresh.Store) {
	walk(t, s, "a", []step{{0, long, 0, refresh.ErrUnknown}, {5, long, 0, refresh.ErrUnknown}})
	put(t, s, "a", 2)
	walk(t, s, "a", []step{
		{3, long, 0, refresh.ErrUnknown},
		{2, long, 3, nil},
		{9, long, 0, refresh.ErrUnknown},
		{2, long, 3, nil},
	})
	put(t, s, "a", 9) // what the token proves
	put(t, s, "a", 4)
	walk(t, s, "a", []step{{9, long, 10, nil}, {9, long, 10, nil}})
}

func testParallel(t *testing.T, s refresh.Store) {
	put(t, s, "a", 0)
	for from := range int64(5) {
		walk(t, s, "a", []step{{from, 0, from + 1, nil}}) // makes room for a new grace
		got := together(50, func() int64 {
			g, err := s.Advance(t.Context(), "a", from, long, soon())
			if err != nil {
				t.Error(err)
			}
			return g
		})
		if len(got) != 1 || got[0] != from+1 {
			t.Errorf("from %d came %v", from, got)
		}
	}
	// The first step of all, which nobody has made before.
	put(t, s, "b", 0)
	got := together(50, func() int64 {
		if err := s.Put(t.Context(), "b", 0, soon()); err != nil {
			t.Error(err)
		}
		g, err := s.Advance(t.Context(), "b", 0, long, soon())
		if err != nil {
			t.Error(err)
		}
		return g
	})
	if !slices.Equal(got, []int64{1}) {
		t.Errorf("the first step leads to %v", got)
	}
}

func testParallelReuse(t *testing.T, s refresh.Store) {
	put(t, s, "a", 0)
	var mu sync.Mutex
	passed := 0
	together(50, func() int64 {
		g, err := s.Advance(t.Context(), "a", 0, 0, soon())
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			passed++
		} else if !errors.Is(err, refresh.ErrReused) {
			t.Error(err)
		}
		return g
	})
	if passed != 1 {
		t.Errorf("without a grace %d of 50 pass", passed)
	}
}

// together returns what n calls at the same time gave, each value once.
func together(n int, call func() int64) []int64 {
	results := make([]int64, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = call()
		})
	}
	close(start)
	wg.Wait()
	slices.Sort(results)
	return slices.Compact(results)
}

func testPassed(t *testing.T, s refresh.Store) {
	gone := time.Now().Add(-time.Minute)
	if err := s.Put(t.Context(), "a", 0, gone); err != nil {
		t.Error(err)
	}
	if _, err := s.Advance(t.Context(), "a", 0, long, gone); err != nil && !errors.Is(err, refresh.ErrUnknown) {
		t.Error(err)
	}
}
