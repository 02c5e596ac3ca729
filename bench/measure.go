package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A row is one operation, and what it cost.
type row struct {
	group, name string
	op          func()
	before      func() // runs before each batch of operations and is not counted; or nil
	after       func() // runs after each slice and is not counted; or nil

	cpu, wall []float64 // nanoseconds for one operation, by slice
	allocs    float64
	bytes     float64
}

// quantile returns what the given part of the slices stay below.
func quantile(v []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[int(q*float64(len(s)-1))]
}

// low is the figure that ratios are made of: other programs on the machine can
// make a slice dearer, never cheaper.
func (r *row) low() float64     { return quantile(r.cpu, 0.2) }
func (r *row) lowWall() float64 { return quantile(r.wall, 0.2) }

// processor returns the processor time of this process so far, kernel included.
func processor() time.Duration {
	var t unix.Timespec
	check(unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t))
	return time.Duration(t.Nano())
}

// A plan says how long to measure.
type plan struct {
	slices int
	slice  time.Duration
}

// settling is how many rounds go by before the heap has the memory that it will need,
// and the kernel has given it. They do not count.
const settling = 2

// measure runs the rows in slices by turns, so that what else the machine does
// meets all of them alike. The order changes, as each leaves a cold cache to the
// next.
func (p plan) measure(rows []*row) {
	counts := make([]int, len(rows))
	for i, r := range rows {
		counts[i] = p.calibrate(r)
		r.allocs, r.bytes = allocations(r.op)
	}
	for range settling + p.slices {
		for _, i := range rand.Perm(len(rows)) {
			rows[i].slice(counts[i])
		}
	}
	for _, r := range rows {
		r.cpu, r.wall = r.cpu[settling:], r.wall[settling:]
	}
}

// slice warms up the caches and pools of the operation, and measures it.
func (r *row) slice(n int) {
	r.run(n/16 + 1)
	cpu, wall := r.run(n)
	r.cpu, r.wall = append(r.cpu, cpu), append(r.wall, wall)
	if r.after != nil {
		r.after()
	}
}

// run returns what an operation takes, of n or a few more, in nanoseconds.
func (r *row) run(n int) (cpu, wall float64) {
	some := n
	if r.before != nil {
		some = batch
	}
	done := 0
	for ; done < n; done += some {
		if r.before != nil {
			r.before()
		}
		began, used := time.Now(), processor()
		for range some {
			r.op()
		}
		cpu, wall = cpu+float64(processor()-used), wall+float64(time.Since(began))
	}
	return cpu / float64(done), wall / float64(done)
}

// calibrate returns how many operations fill a slice.
func (p plan) calibrate(r *row) int {
	for n := 1; ; n *= 2 {
		if cpu, _ := r.run(n); float64(n)*cpu >= float64(p.slice/4) {
			again, _ := r.run(n)
			return max(1, int(float64(p.slice)/min(cpu, again)))
		}
	}
}

// allocations counts exactly, as nothing else runs in the process meanwhile. A
// collection that empties pools shows in the tenths.
func allocations(op func()) (count, bytes float64) {
	const n = 200
	var before, after runtime.MemStats
	op() // fills pools
	runtime.ReadMemStats(&before)
	for range n {
		op()
	}
	runtime.ReadMemStats(&after)
	each := func(x uint64) float64 { return math.Round(10*float64(x)/n) / 10 }
	return each(after.Mallocs - before.Mallocs), each(after.TotalAlloc - before.TotalAlloc)
}
