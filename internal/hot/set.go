package hot

import "sync/atomic"

// ways is how many entries have the same place. With a word of tags they fill a
// cache line.
const ways = 7

// A set is where the entries of some hashes can be.
type set struct {
	tags  atomic.Uint64 // a byte of each entry's hash; above them a bit of each that was used since the hand came by
	slots [ways]atomic.Pointer[entry]
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

// find returns the entry of a key and its slot, or nil. It is told the tags.
func (s *set) find(tags uint64, k *key, by any) (int, *entry) {
	for i := 0; i < ways; i, tags = i+1, tags>>8 {
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
