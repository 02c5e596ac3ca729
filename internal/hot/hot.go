// Package hot keeps what was made of the tokens that were seen a moment ago.
//
// A [Cache] holds only what its user puts in, and the user puts in nothing that
// failed. It bounds its memory, forgets what was not asked for lately, and tells
// nobody whether a token is still good: that is asked on every hit.
package hot

import (
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

// A Cache maps a token, whole, and who made something of it to what was made.
// Readers take no lock. It is safe for concurrent use; a nil Cache holds nothing.
type Cache struct {
	max    int64
	digest bool
	seed   maphash.Seed

	sets atomic.Pointer[[]set] // a power of two; nil until the first Add

	mu   sync.Mutex // of all that changes sets
	size int64      // bytes held
	hand int        // the slot that the next eviction looks at
}

// ways is how many entries have the same place. With a word of tags they fill a
// cache line.
const ways = 7

// A set is where the entries of some hashes can be.
type set struct {
	tags  atomic.Uint64 // eight bits of each entry's hash
	slots [ways]atomic.Pointer[entry]
}

type entry struct {
	hash  uint64
	tok   string // or its digest
	by    any
	value any
	size  int64
	used  atomic.Bool // since the hand came by
}

const (
	entrySize = 128  // bytes of an entry and its place, about
	leastSize = 1024 // bytes that an entry takes at least, about
)

// New returns a Cache of at most max bytes, or nil if max is not positive. With
// digest it holds the SHA-256 of each token and not the token.
func New(max int, digest bool) *Cache {
	if max <= 0 {
		return nil
	}
	return &Cache{max: int64(max), digest: digest, seed: maphash.MakeSeed()}
}

// Get returns what by made of tok.
func (c *Cache) Get(tok string, by any) (value any, ok bool) {
	if c == nil {
		return nil, false
	}
	sets := c.sets.Load()
	if sets == nil {
		return nil, false
	}
	var sum [sha256.Size]byte
	k := c.key(tok, &sum)
	s := k.in(*sets)
	for tags, i := s.tags.Load(), 0; i < ways; i, tags = i+1, tags>>8 {
		if byte(tags) != k.tag() {
			continue
		}
		if e := s.slots[i].Load(); e != nil && k.is(e, by) {
			if !e.used.Load() {
				e.used.Store(true)
			}
			return e.value, true
		}
	}
	return nil, false
}

// Add has Get return value, which takes size bytes, until room is needed. What
// would take more than a seventh of the cache is left out.
func (c *Cache) Add(tok string, by, value any, size int) {
	if c == nil {
		return
	}
	var sum [sha256.Size]byte
	k := c.key(tok, &sum)
	e := &entry{
		hash: k.hash,
		// What comes in is a part of a whole header.
		tok: strings.Clone(k.tok), by: by, value: value,
		size: int64(entrySize + len(k.tok) + size),
	}
	if e.size > c.max/ways {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sets.Load() == nil {
		c.sets.Store(newSets(c.max))
	}
	s := k.in(*c.sets.Load())
	i := s.victim(&k, by)
	c.put(s, i, nil)
	c.shrink(c.max - e.size)
	c.put(s, i, e)
}

func newSets(max int64) *[]set {
	n := 1
	for int64(n)*ways*leastSize < max {
		n *= 2
	}
	sets := make([]set, n)
	return &sets
}

// victim returns the slot for a new entry: that of the same token, an empty one,
// or one that was not used lately.
func (s *set) victim(k *key, by any) int {
	best := -1
	for i := range s.slots {
		switch e := s.slots[i].Load(); {
		case e == nil:
			best = i
		case k.is(e, by):
			return i
		case best < 0 && !e.used.Swap(false):
			best = i
		}
	}
	return max(best, 0)
}

// put replaces the entry of a slot, by nil to drop it.
func (c *Cache) put(s *set, i int, e *entry) {
	if old := s.slots[i].Load(); old != nil {
		c.size -= old.size
	}
	s.slots[i].Store(e)
	if e != nil {
		c.size += e.size
		shift := 8 * i
		s.tags.Store(s.tags.Load()&^(0xff<<shift) | uint64(byte(e.hash>>56))<<shift)
	}
}

// patience is how many entries in use the hand passes by, so that no Add waits
// for a walk through all of them.
const patience = 64

// shrink drops entries until no more than max bytes are held: those first that
// were not used since the hand came by.
func (c *Cache) shrink(max int64) {
	sets := *c.sets.Load()
	for spared := 0; c.size > max; c.hand++ {
		s, i := &sets[c.hand/ways%len(sets)], c.hand%ways
		e := s.slots[i].Load()
		switch {
		case e == nil:
		case spared < patience && e.used.Swap(false):
			spared++
		default:
			c.put(s, i, nil)
		}
	}
}

// Size returns how many bytes are held, about.
func (c *Cache) Size() int {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.size)
}

// Format prints a placeholder, whatever the verb.
func (*Cache) Format(f fmt.State, _ rune) { io.WriteString(f, "hot.Cache(redacted)") }
