package hot_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/carnet-go/carnet/internal/hot"
)

// tok returns a text as long as a token, in which the number is in the middle.
func tok(n int) string {
	return strings.Repeat("a", 500) + fmt.Sprintf(".%030d.", n) + strings.Repeat("b", 500)
}

func each(t *testing.T, test func(t *testing.T, digest bool)) {
	for _, digest := range []bool{false, true} {
		t.Run(fmt.Sprintf("digest=%v", digest), func(t *testing.T) { test(t, digest) })
	}
}

func TestOnlyTheSameTokenOfTheSameUserIsAHit(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		c, me, other := hot.New(1<<20, digest), new(int), new(int)
		c.Add(tok(1), me, "mine", 100)
		c.Add(tok(1), other, "other's", 100)
		for by, want := range map[*int]string{me: "mine", other: "other's"} {
			if v, ok := c.Get(tok(1), by); !ok || v != want {
				t.Errorf("got %v, want %v", v, want)
			}
		}
		if _, ok := c.Get(tok(1), new(int)); ok {
			t.Error("a hit for somebody else")
		}
		for i := range tok(1) {
			b := []byte(tok(1))
			b[i] ^= 1
			if _, ok := c.Get(string(b), me); ok {
				t.Fatalf("a hit with another character at %d", i)
			}
			if _, ok := c.Get(tok(1)[:i], me); ok {
				t.Fatalf("a hit with the first %d characters", i)
			}
		}
		if _, ok := c.Get(tok(1)+"b", me); ok {
			t.Error("a hit with a character more")
		}
	})
}

func TestAddReplaces(t *testing.T) {
	c := hot.New(1<<20, false)
	c.Add(tok(1), c, 0, 100)
	one := c.Size()
	for i := range 100 {
		c.Add(tok(1), c, i, 100)
	}
	if v, _ := c.Get(tok(1), c); v != 99 {
		t.Errorf("got %v", v)
	}
	if n := c.Size(); n != one {
		t.Errorf("one entry takes %d bytes, then %d", one, n)
	}
}

func TestTheBoundHolds(t *testing.T) {
	const max = 1 << 20
	c := hot.New(max, false)
	for i := range 5_000 {
		for range 2 { // the second time it comes in for sure
			c.Add(tok(i), c, i, i%2000)
		}
		if n := c.Size(); n > max {
			t.Fatalf("%d bytes are held after %d", n, i)
		}
		if v, ok := c.Get(tok(i), c); !ok || v != i {
			t.Fatalf("the newest is gone at %d: %v", i, v)
		}
	}
	if n := c.Size(); n < max*9/10 {
		t.Errorf("only %d bytes are used", n)
	}
}

// Hardly a place is full as long as the cache is not.
func TestWhatFitsStays(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		const max = 16 << 20
		c, n := hot.New(max, digest), 0
		for ; c.Size() < max*9/10; n++ {
			c.Add(tok(n), c, n, 400)
		}
		if kept := hits(c, 0, n); kept < n-n/1000 {
			t.Errorf("%d of %d are left", kept, n)
		}
	})
}

// What is asked for again and again outlives what comes twice and is then not used.
func TestWhatIsInUseStays(t *testing.T) {
	c := hot.New(1<<20, false)
	const used = 50
	for i := range used {
		c.Add(tok(i), c, i, 1000)
	}
	for i := range 5_000 {
		for range 2 {
			c.Add(tok(1000+i), c, i, 1000)
		}
		c.Get(tok(i%used), c)
	}
	if kept := hits(c, 0, used); kept < used*3/4 {
		t.Errorf("%d of %d are left", kept, used)
	}
}

func TestWhatIsTooLargeIsLeftOut(t *testing.T) {
	c := hot.New(1<<20, false)
	for _, size := range []int{1 << 20, math.MaxInt, math.MinInt, -1} {
		c.Add(tok(1), c, 1, size)
		if _, ok := c.Get(tok(1), c); ok || c.Size() != 0 {
			t.Errorf("%d bytes are held", size)
		}
	}
}

func TestACacheThatIsTooSmallHoldsNothing(t *testing.T) {
	for max := range 3000 {
		c := hot.New(max, false)
		for range 3 {
			c.Add(tok(1), c, 1, 1)
		}
		if n := c.Size(); n > max {
			t.Errorf("%d bytes are held of %d", n, max)
		}
	}
}

func TestNoCache(t *testing.T) {
	for _, max := range []int{0, -1} {
		c := hot.New(max, false)
		c.Add(tok(1), nil, 1, 1)
		if _, ok := c.Get(tok(1), nil); ok || c.Size() != 0 {
			t.Error("something is held")
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	c := hot.New(1<<18, false)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				n := (i * (g + 1)) % 700
				if v, ok := c.Get(tok(n), c); ok && v != n {
					t.Errorf("%d became %v", n, v)
				}
				c.Add(tok(n), c, n, 500)
			}
		})
	}
	wg.Wait()
}

func TestAHitAllocatesNothing(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		c, text := hot.New(1<<20, digest), tok(1)
		c.Add(text, c, 1, 100)
		if n := testing.AllocsPerRun(100, func() { c.Get(text, c) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// A packed refers to text that can be with its token.
type packed struct{ text string }

func (p *packed) Text() int { return len(p.text) }

func (p *packed) Pack(room []byte) int {
	if len(room) != len(p.text) {
		panic(fmt.Sprintf("room for %d bytes of %d", len(room), len(p.text)))
	}
	copy(room, p.text)
	p.text = unsafe.String(unsafe.SliceData(room), len(room))
	return 16
}

// Its text stays what it was, whatever the lengths, and whatever the collector does.
func TestAValueThatPacksItsText(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		c := hot.New(8<<20, digest)
		text := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), i*i%700) }
		const n = 1000
		for i := range n {
			c.Add(tok(i)+tok(0)[:i%20], c, &packed{text(i)}, 100)
			if i%100 == 0 {
				runtime.GC()
			}
		}
		for i := range n {
			v, ok := c.Get(tok(i)+tok(0)[:i%20], c)
			if !ok || v.(*packed).text != text(i) {
				t.Fatalf("%d: %v", i, ok)
			}
			if _, ok := c.Get(tok(i)+tok(0)[:i%20]+"b", c); ok {
				t.Error("a hit with another token")
			}
		}
	})
}

func TestAPackedValueIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		c, last := hot.New(1<<20, digest), 0
		for range 3 {
			v := &packed{strings.Repeat("x", 300)}
			c.Add(tok(1), c, v, 100)
			if got, ok := c.Get(tok(1), c); !ok || got != any(v) {
				t.Errorf("got %v", got)
			}
			if last != 0 && c.Size() != last {
				t.Errorf("one entry takes %d bytes, then %d", last, c.Size())
			}
			last = c.Size()
		}
	})
}

// By digest, a dump of the memory has no token in it; without, it has.
func TestTokensInAMemoryDump(t *testing.T) {
	each(t, func(t *testing.T, digest bool) {
		c := hot.New(1<<20, digest)
		addHidden(c)
		if found := dump(t); found == digest {
			t.Errorf("in the dump: %v", found)
		}
		runtime.KeepAlive(c)
	})
}

// masked is the token, so that the test itself has no copy.
func masked() []byte {
	b := []byte(tok(271828182))
	for i := range b {
		b[i] ^= 0x55
	}
	return b
}

//go:noinline
func addHidden(c *hot.Cache) { c.Add(tok(271828182), c, 1, 100) }

func dump(t *testing.T) bool {
	f, err := os.Create(filepath.Join(t.TempDir(), "heap"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	runtime.GC()
	runtime.GC()
	debug.WriteHeapDump(f.Fd())
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		b[i] ^= 0x55
	}
	return bytes.Contains(b, masked()[300:700])
}
