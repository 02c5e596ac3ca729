package main

import (
	"flag"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

var full = flag.Bool("full", false, "blow up every token of the corpus, in every way")

const (
	large = 64 << 10
	huge  = 8 << 20
)

// A cost is what one token took.
type cost struct {
	name  string
	bytes uint64
	time  time.Duration
}

// worst keeps the most expensive.
type worst struct{ bytes, time cost }

func (w *worst) add(c cost) {
	if c.bytes > w.bytes.bytes {
		w.bytes = c
	}
	if c.time > w.time.time {
		w.time = c
	}
}

// measure counts everything that was allocated, freed again or not. Time is only
// reported: a test can't bound it on a machine that does something else, too.
func measure(verifier *token.Verifier[jsontext.Value], name, tok string) (cost, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	_, err := verifier.Verify(tok)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return cost{name, after.TotalAlloc - before.TotalAlloc, took}, err
}

// No token of the corpus takes more memory than a few copies of itself.
func TestCostOfTheCorpus(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		for _, o := range openers(t, f) {
			var w worst
			verifier := token.NewVerifier[jsontext.Value](o, config)
			for _, e := range mustMint(t, f) {
				c, _ := measure(verifier, e.name, e.tok)
				if w.add(c); c.bytes > 1<<20 {
					t.Errorf("%s took %d bytes of memory", e.name, c.bytes)
				}
			}
			w.log(t, o.name)
		}
	})
}

func (w *worst) log(t *testing.T, what string) {
	t.Logf("%s: at most %d bytes (%s) and %v (%s)", what, w.bytes.bytes, w.bytes.name, w.time.time, w.time.name)
}

// blownUp returns a token of n bytes in each way to make one of tok.
func blownUp(tok string, n int) func(func(string, string) bool) {
	more := n - len(tok)
	return inOrder(
		"letters", tok+strings.Repeat("A", more),
		"dots", tok+strings.Repeat(".", more),
		"letters-first", strings.Repeat("A", more)+tok,
		"letters-inside", tok[:len(tok)/2]+strings.Repeat("A", more)+tok[len(tok)/2:],
		"line-feeds-inside", tok[:len(tok)/2]+strings.Repeat("\n", more)+tok[len(tok)/2:],
	)
}

// A token that is longer than any of ours costs nothing, whatever is in it.
func TestCostOfSize(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		long := slices.Collect(genuine(f))
		for _, o := range openers(t, f) {
			var w worst
			verifier := token.NewVerifier[jsontext.Value](o, config)
			check := func(name, tok string) {
				c, err := measure(verifier, name, tok)
				if w.add(c); err != token.ErrTooLarge || c.bytes > 64<<10 {
					t.Errorf("%s: %d bytes of memory, %v", name, c.bytes, err)
				}
			}
			for i, e := range mustMint(t, f) {
				for _, n := range []int{large, huge} {
					if *full || i%(n>>13) == 0 { // one in 8, one in 1,024
						eachWay(e, n, check)
					}
				}
			}
			for _, g := range long {
				check(g.name, g.tok)
			}
			w.log(t, o.name)
		}
	})
}

func eachWay(e entry, n int, check func(name, tok string)) {
	for name, tok := range blownUp(e.tok, n) {
		check(e.name+"-and-"+name, tok)
	}
}

// genuine mints tokens of 64 KiB and 8 MiB with the right keys.
func genuine(f keys.Format) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for _, n := range []int{large, huge} {
			kinds := inOrder("text", quote(strings.Repeat("x", n)))
			if *full || n == large {
				kinds = longData(n)
			}
			for name, data := range kinds {
				if !yield(entry{"genuine-" + name, tooLarge, signedWith(f, data)}) {
					return
				}
			}
		}
	}
}

// longData is session data that is large, deep, wide, or a number.
func longData(n int) func(func(string, string) bool) {
	return inOrder(
		"text", quote(strings.Repeat("x", n)), "deep", nested(n/2), "wide", wide(n/10), "number", strings.Repeat("7", n),
		"escapes", quote(strings.Repeat(`\u0061`, n/6)), "open", strings.Repeat("[", n), "spaces", strings.Repeat(" ", n)+"1",
	)
}

func signedWith(f keys.Format, data string) string {
	now := time.Now()
	if f == keys.JWT {
		m := &jwtMint{label: outerHeader(activeKey.kid(f))}
		return m.signed(jwtPayload(now).with("data", data).String())
	}
	m := &pasetoMint{footer: footer(activeKey.kid(f)), implicit: bindingOf("session", "example.com", "web")}
	return m.signed(pasetoPayload(now).with("data", data).String())
}
