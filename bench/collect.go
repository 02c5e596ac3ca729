package main

import "runtime"

// A collector runs the garbage collector between slices and never in one: there
// it would be a lottery which row pays for a collection, and a low percentile
// would leave it out of all of them.
type collector struct {
	waste float64   // bytes since the last collection
	costs []float64 // nanoseconds for each byte that was alive
}

const mostWaste = 16 << 20

func (c *collector) made(bytes float64) {
	if c.waste += bytes; c.waste >= mostWaste {
		c.collect()
	}
}

func (c *collector) collect() {
	start := processor()
	runtime.GC()
	used := processor() - start
	c.costs = append(c.costs, float64(used)/max(alive(), smallestHeap))
	c.waste = 0
}

// smallestHeap is what the runtime lets a heap grow to in any case.
const smallestHeap = 4 << 20

func alive() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// price returns what a byte of garbage costs. With GOGC=100 a collection comes
// whenever as many bytes were allocated as are alive.
func (c *collector) price() float64 { return quantile(c.costs, 0.2) }
