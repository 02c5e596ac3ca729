package hot

import (
	"sync/atomic"
	"unsafe"
)

// ways is how many entries have the same place. With a word of tags they fill a
// cache line.
const ways = 7

// A set is where the entries of some hashes can be.
type set struct {
	tags  atomic.Uint64 // a byte of each entry's hash; above them a bit of each that was used since the hand came by
	slots [ways]atomic.Pointer[entry]
}

// An entry fills a cache line too.
type entry struct {
	hash  uint64
	tok   string // or its digest
	by    any
	value any
	size  int64
}

// A Packer is a value that has room for its token. What a hit reads is then near
// together.
type Packer interface {
	// Pack copies tok into the memory of the value. It returns the copy, and how many
	// bytes the value takes with it.
	Pack(tok string) (packed string, size int)
}

// newEntry copies the token: what comes in is a part of a whole header. What the
// allocator rounds up to counts: exactly for the token, and as an eighth, which is
// about what its sizes are apart, for the parts of the value.
func newEntry(k *key, by, value any, size int) *entry {
	e := &entry{hash: k.hash, by: by, value: value}
	taken := 0
	switch p, ok := value.(Packer); {
	case !ok:
		e.tok, taken = k.kept()
		size += size / 8
	case k.digest:
		e.tok, taken = k.kept()
		_, size = p.Pack("")
	default:
		e.tok, size = p.Pack(k.tok)
	}
	e.size = int64(int(unsafe.Sizeof(*e)) + taken + size)
	return e
}

func used(i int) uint64 { return 1 << (8*ways + i) }

// use says that an entry was used.
func (s *set) use(i int) {
	if s.tags.Load()&used(i) == 0 {
		s.tags.Or(used(i))
	}
}

// spare reports whether an entry was used, for once.
func (s *set) spare(i int) bool {
	return s.tags.Load()&used(i) != 0 && s.tags.And(^used(i))&used(i) != 0
}

// find returns the entry of a key and its slot, or nil.
func (s *set) find(k *key, by any) (int, *entry) {
	for tags, i := s.tags.Load(), 0; i < ways; i, tags = i+1, tags>>8 {
		if byte(tags) != k.tag() {
			continue
		}
		if e := s.slots[i].Load(); e != nil && k.is(e, by) {
			return i, e
		}
	}
	return 0, nil
}

// free returns an empty slot, or ways.
func (s *set) free() int {
	for i := range s.slots {
		if s.slots[i].Load() == nil {
			return i
		}
	}
	return ways
}

// victim returns a slot that was not used lately.
func (s *set) victim() int {
	for i := range s.slots {
		if !s.spare(i) {
			return i
		}
	}
	return 0
}

// put replaces the entry of a slot, by nil to drop it.
func (c *Cache) put(s *set, i int, e *entry) {
	if old := s.slots[i].Swap(e); old != nil {
		c.size.Add(-old.size)
	}
	s.tags.And(^(0xff<<(8*i) | used(i)))
	if e != nil {
		c.size.Add(e.size)
		s.tags.Or(uint64(tag(e.hash)) << (8 * i))
	}
}

// patience is how many entries in use the hand passes by, so that no Add waits
// for a walk through all of them.
const patience = 64

// shrink drops entries until no more than max bytes are held: those first that
// were not used since the hand came by.
func (c *Cache) shrink(sets []set, max int64) {
	for spared, slots := 0, 2*ways*len(sets); c.size.Load() > max && slots > 0; slots-- {
		s, i := &sets[c.hand/ways], c.hand%ways
		c.hand = (c.hand + 1) % (ways * len(sets))
		switch {
		case s.slots[i].Load() == nil:
		case spared < patience && s.spare(i):
			spared++
		default:
			c.put(s, i, nil)
		}
	}
}
