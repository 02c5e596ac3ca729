package markset

import (
	"maps"
	"slices"
	"sync/atomic"
)

// add puts a mark in. Stored says that it came from the store. Held reports
// whether the store has all that e covers.
func (t *table) add(e Entry, stored bool, clock uint32) (held bool) {
	c := cut{until: ticks(e.Until), at: e.At, except: e.Except, stored: stored}
	if !c.inForce(clock) {
		return true
	}
	first, last := e.ID.words()
	s := t.shard(last)
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.void[e.ID]; ok && v.reaches(c) {
		return true
	}
	a := s.array.Load()
	at, found := a.find(first, last, t.width)
	switch {
	case !found:
		t.insert(s, e.ID, c, clock)
		return stored
	case t.axis.Whole():
		return t.extend(&a.words[at+1], c)
	}
	cuts, held := merged(t.cuts(s, a, at, e.ID), c, clock)
	t.write(s, a, at, e.ID, cuts)
	return held
}

// extend sets a later until in a slot that has no moment.
func (t *table) extend(word *uint64, c cut) (held bool) {
	old := atomic.LoadUint64(word)
	had := cut{until: until(old), stored: old&bitStored != 0}
	switch {
	case had.until > c.until:
		return had.stored
	case had.until == c.until:
		c.stored = c.stored || had.stored
	}
	t.count(had.stored, c.stored)
	atomic.StoreUint64(word, old>>32<<32|pack(c.until, c.stored))
	return c.stored
}

// count keeps the number of slots that the store lacks.
func (t *table) count(before, after bool) {
	switch {
	case before && !after:
		t.unstored.Add(1)
	case !before && after:
		t.unstored.Add(-1)
	}
}

func pack(until uint32, stored bool) uint64 {
	if stored {
		return uint64(until)<<1 | bitStored
	}
	return uint64(until) << 1
}

// insert takes a slot for a new id.
func (t *table) insert(s *shard, id ID, c cut, clock uint32) {
	a := t.roomFor(s, 1, clock)
	s.used++
	t.slots.Add(1)
	t.count(true, c.stored)
	t.place(s, a, id, []cut{c})
}

// roomFor returns the array, which has room for that many more slots.
func (t *table) roomFor(s *shard, n int, clock uint32) *array {
	a := s.array.Load()
	if a == nil || uint64(s.used+n)*4 > a.slots*3 {
		t.rebuild(s, clock, n)
		a = s.array.Load()
	}
	return a
}

// place writes a slot that is free, its first word last.
func (t *table) place(s *shard, a *array, id ID, cuts []cut) {
	first, last := id.words()
	at, _ := a.find(first, last, t.width)
	atomic.StoreUint64(&a.words[at+1], uint64(last)<<32)
	t.fill(s, a, at, id, cuts)
	atomic.StoreUint64(&a.words[at], first)
}

// write changes a slot that is visible.
func (t *table) write(s *shard, a *array, at int, id ID, cuts []cut) {
	t.count(atomic.LoadUint64(&a.words[at+1])&bitStored != 0, allStored(cuts))
	t.fill(s, a, at, id, cuts)
}

// fill writes all but the first word. Each store leaves a slot that covers at
// least what it did, as cuts do: the moment may grow before the until or after it,
// and the cuts lie in more before the slot says so.
func (t *table) fill(s *shard, a *array, at int, id ID, cuts []cut) {
	last := atomic.LoadUint64(&a.words[at+1]) >> 32 << 32
	latest := slices.MaxFunc(cuts, func(a, b cut) int { return int(a.until) - int(b.until) })
	if t.width == widthMoment {
		_, beside := s.more[id]
		if beside || len(cuts) > 1 || cuts[0].except != (ID{}) {
			if s.more == nil {
				s.more = make(map[ID][]cut)
			}
			s.more[id] = cuts
			atomic.StoreUint64(&a.words[at+2], bitMore)
		} else {
			atomic.StoreUint64(&a.words[at+2], uint64(cuts[0].at)<<1)
		}
	}
	atomic.StoreUint64(&a.words[at+1], last|pack(latest.until, allStored(cuts)))
}

func allStored(cuts []cut) bool {
	return !slices.ContainsFunc(cuts, func(c cut) bool { return !c.stored })
}

// cuts returns what a slot has. The caller holds the lock and doesn't change them.
func (t *table) cuts(s *shard, a *array, at int, id ID) []cut {
	word := atomic.LoadUint64(&a.words[at+1])
	c := cut{until: until(word), stored: word&bitStored != 0}
	if t.width == widthWhole {
		return []cut{c}
	}
	moment := atomic.LoadUint64(&a.words[at+2])
	if moment&bitMore != 0 {
		return s.more[id]
	}
	c.at = int64(moment) >> 1
	return []cut{c}
}

// rebuild puts a new array in the place of the old one, without what is over and
// with room for some more.
func (t *table) rebuild(s *shard, clock uint32, room int) {
	old := s.array.Load()
	var a *array
	if live := t.settle(s, clock); live+room > 0 {
		a = &array{slots: uint64(float64(live+room)*slack) + 3}
		a.words = make([]uint64, a.slots*uint64(t.width))
	}
	used := 0
	old.each(t.width, func(at int) {
		word := old.words[at+1]
		if until(word) > clock {
			to, _ := a.find(old.words[at], uint32(word>>32), t.width)
			copy(a.words[to:], old.words[at:at+t.width]) // nobody sees it yet
			used++
		}
	})
	t.slots.Add(int64(used - s.used))
	t.bytes.Add(a.bytes() - old.bytes())
	s.used = used
	s.array.Store(a)
	maps.DeleteFunc(s.void, func(_ ID, v cut) bool { return !v.inForce(clock) })
}

// settle forgets what is over beside the array, counts what is over as stored,
// and returns how many slots are left.
func (t *table) settle(s *shard, clock uint32) (live int) {
	a := s.array.Load()
	for id, cuts := range s.more {
		left := slices.DeleteFunc(slices.Clone(cuts), func(c cut) bool { return !c.inForce(clock) })
		first, last := id.words()
		if at, ok := a.find(first, last, t.width); ok && len(left) > 0 {
			t.write(s, a, at, id, left)
		} else {
			delete(s.more, id)
		}
	}
	a.each(t.width, func(at int) {
		word := a.words[at+1]
		if until(word) > clock {
			live++
			return
		}
		t.count(word&bitStored != 0, true)
		atomic.StoreUint64(&a.words[at+1], word|bitStored)
	})
	return live
}

func (a *array) bytes() int64 {
	if a == nil {
		return 0
	}
	return int64(len(a.words)) * 8
}

// each calls f with where the words of each slot begin. The caller holds the
// lock, and so need not load atomically.
func (a *array) each(width int, f func(at int)) {
	if a == nil {
		return
	}
	for at := 0; at < len(a.words); at += width {
		if a.words[at] != 0 {
			f(at)
		}
	}
}

func (a *array) id(at int) ID { return joined(a.words[at], uint32(a.words[at+1]>>32)) }
