package revocation

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
)

// A filter tells of most values that there is no mark of them, without the lock of
// the list, whose counter the cores would pass to and fro on every check. It never
// says so of a value that was added: bits are set before the mark is there, and a
// larger table has the bits of all marks before it takes the place of the last.
type filter struct {
	table atomic.Pointer[filterTable] // nil while nothing was added
	room  int                         // values until a new table is due; of the one who writes
}

type filterTable struct {
	seed  maphash.Seed
	words []atomic.Uint64 // a power of two
}

const (
	bitsPerValue = 16 // so that one in 16 others needs the lock, or fewer
	leastValues  = 64
)

// may reports whether there may be a mark of the value.
func (f *filter) may(value string) bool {
	t := f.table.Load()
	if t == nil {
		return false
	}
	word, bit := t.place(value)
	return word.Load()&bit != 0
}

// add has may report true of a value. Those that are there already are given too.
// Callers take turns.
func (f *filter) add(value string, there map[string]*cell) {
	if f.room == 0 {
		f.grow(there)
	}
	f.room--
	word, bit := f.table.Load().place(value)
	word.Or(bit)
}

// grow makes a table for twice the values that are there. Those that are gone are
// left behind.
func (f *filter) grow(there map[string]*cell) {
	values := max(2*len(there), leastValues)
	t := &filterTable{maphash.MakeSeed(), make([]atomic.Uint64, 1<<bits.Len(uint(values*bitsPerValue/64-1)))}
	for value := range there {
		word, bit := t.place(value)
		word.Or(bit)
	}
	f.room = values - len(there)
	f.table.Store(t)
}

func (t *filterTable) place(value string) (word *atomic.Uint64, bit uint64) {
	h := maphash.String(t.seed, value)
	return &t.words[h>>6&uint64(len(t.words)-1)], 1 << (h & 63)
}
