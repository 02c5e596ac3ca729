package markset

import "sync/atomic"

// A Loader puts many marks into a set at once, as at a start. Those of sessions wait
// in it until a shard gets some together: then the shard is locked once, and the
// processor fetches the slots, which are all over the memory, side by side instead of
// one after the other.
type Loader struct {
	set     *Set
	waiting [shards]batch
}

// A batch is marks of one shard, the words of their slots.
type batch struct {
	n       int
	words   [64][2]uint64
	fetched uint64 // of no use, but so that it is read
}

// Loader returns one for marks that were read from the store behind the set.
func (s *Set) Loader() *Loader { return &Loader{set: s} }

// Add puts a mark in, now or at the latest with Flush.
func (l *Loader) Add(e Entry) {
	if e.Axis != Session {
		l.set.Add(e, true)
		return
	}
	t := &l.set.tables[Session]
	first, last := e.ID.words()
	at := shardOf(last)
	b := &l.waiting[at]
	b.words[b.n] = [2]uint64{first, uint64(last)<<32 | pack(ticks(e.Until), true)}
	if b.n++; b.n == len(b.words) {
		t.load(&t.shards[at], b)
	}
}

// Flush puts in all that waits.
func (l *Loader) Flush() {
	t := &l.set.tables[Session]
	for at := range l.waiting {
		t.load(&t.shards[at], &l.waiting[at])
	}
}

// load empties the batch into its shard.
func (t *table) load(s *shard, b *batch) {
	clock := clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	a := t.roomFor(s, b.n, clock)
	b.fetch(a)
	for _, w := range b.words[:b.n] {
		t.loadOne(s, a, w, clock)
	}
	b.n = 0
}

// fetch reads where the slots begin. None of these reads has to wait for another.
func (b *batch) fetch(a *array) {
	for _, w := range b.words[:b.n] {
		b.fetched ^= a.words[a.start(w[0])*widthWhole]
	}
}

func (t *table) loadOne(s *shard, a *array, w [2]uint64, clock uint32) {
	c, last := cut{until: until(w[1]), stored: true}, uint32(w[1]>>32)
	if !c.inForce(clock) {
		return
	}
	if len(s.void) > 0 {
		if v, ok := s.void[joined(w[0], last)]; ok && v.reaches(c) {
			return
		}
	}
	at, found := a.find(w[0], last, widthWhole)
	if found {
		t.extend(&a.words[at+1], c)
		return
	}
	s.used++
	t.slots.Add(1)
	atomic.StoreUint64(&a.words[at+1], w[1])
	atomic.StoreUint64(&a.words[at], w[0])
}
