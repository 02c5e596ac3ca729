package markset

import (
	"hash/maphash"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/carnet-go/carnet/token"
)

// A Set holds marks. It is safe for concurrent use; readers wait for nobody.
type Set struct {
	tables [axisCount]table
	memo   memo
	latest atomic.Int64
}

var everyone = IDOf(Everyone, "")

// New returns an empty set.
func New() *Set {
	s := &Set{memo: memo{seed: maphash.MakeSeed()}}
	for a := range s.tables {
		t := &s.tables[a]
		t.axis, t.width = Axis(a), widthMoment
		if t.axis.Whole() {
			t.width = widthWhole
		}
	}
	return s
}

func now() int64 { return time.Now().Unix() }

func clock() uint32 { return ticks(now()) }

// Check returns the mark in force that covers the claims, of the narrowest axis.
// An axis without marks costs nothing.
func (s *Set) Check(c *token.Claims) (Entry, bool) {
	var session ID
	if len(c.SessionID) > 0 {
		session = IDOf(Session, c.SessionID)
	}
	started := c.StartedAt.UnixMicro()
	for a := range s.tables {
		t := &s.tables[a]
		if t.slots.Load() == 0 {
			continue
		}
		if e, ok := t.covering(s.id(t.axis, c, session), session, started, now); ok {
			return e, true
		}
	}
	return Entry{}, false
}

func (s *Set) id(a Axis, c *token.Claims, session ID) ID {
	switch a {
	case Session:
		return session
	case Subject:
		return IDOf(Subject, c.Subject)
	case Everyone:
		return everyone
	}
	return s.memo.id(a, a.Of(c))
}

// Add puts a mark in; one that is over is left out. Stored says that it was read
// from the store behind the set: a file, a log. Held reports whether that store
// has all that e covers, so that nothing of it need be written.
func (s *Set) Add(e Entry, stored bool) (held bool) {
	for at := s.latest.Load(); !e.Axis.Whole() && e.At > at; at = s.latest.Load() {
		s.latest.CompareAndSwap(at, e.At)
	}
	return s.tables[e.Axis].add(e, stored, clock())
}

// Latest returns the latest moment of all marks that were ever added.
func (s *Set) Latest() time.Time { return time.UnixMicro(s.latest.Load()) }

// Len returns how many marks there are, those included that are over and not
// swept yet. Moments of one value count as one.
func (s *Set) Len() int { return s.sum(func(t *table) *atomic.Int64 { return &t.slots }) }

// Unstored returns how many of them the store lacks.
func (s *Set) Unstored() int { return s.sum(func(t *table) *atomic.Int64 { return &t.unstored }) }

// Bytes returns what the tables take, without what lies beside them.
func (s *Set) Bytes() int { return s.sum(func(t *table) *atomic.Int64 { return &t.bytes }) }

func (s *Set) sum(of func(t *table) *atomic.Int64) (n int) {
	for a := range s.tables {
		n += int(of(&s.tables[a]).Load())
	}
	return n
}

// All returns the marks in force, and whether the store has them. Marks that come
// or go meanwhile may be there or not.
func (s *Set) All() iter.Seq2[Entry, bool] { return s.entries(false) }

// Missing returns the marks in force that the store lacks.
func (s *Set) Missing() iter.Seq2[Entry, bool] { return s.entries(true) }

func (s *Set) entries(missing bool) iter.Seq2[Entry, bool] {
	return func(yield func(Entry, bool) bool) {
		for a := range s.tables {
			t := &s.tables[a]
			for i := range t.shards {
				if missing && t.unstored.Load() == 0 {
					break
				}
				// A copy, so that no writer waits for whoever reads.
				for _, k := range t.copied(&t.shards[i], missing) {
					if !yield(k.Entry, k.stored) {
						return
					}
				}
			}
		}
	}
}

type kept struct {
	Entry
	stored bool
}

func (t *table) copied(s *shard, missing bool) (all []kept) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	clock := clock()
	a := s.array.Load()
	a.each(t.width, func(at int) {
		if missing && a.words[at+1]&bitStored != 0 {
			return
		}
		id := a.id(at)
		for _, c := range t.cuts(s, a, at, id) {
			if c.inForce(clock) && !(missing && c.stored) {
				all = append(all, kept{t.entry(id, c), c.stored})
			}
		}
	})
	return all
}

// Of returns the marks in force of an axis and value.
func (s *Set) Of(a Axis, id ID) (all []Entry) {
	t := &s.tables[a]
	first, last := id.words()
	sh := t.shard(last)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	array := sh.array.Load()
	if at, ok := array.find(first, last, t.width); ok {
		for _, c := range t.cuts(sh, array, at, id) {
			if c.inForce(clock()) {
				all = append(all, t.entry(id, c))
			}
		}
	}
	return all
}

// Forget says that the store has none of the marks: it lost them.
func (s *Set) Forget() {
	for a := range s.tables {
		t := &s.tables[a]
		for i := range t.shards {
			t.unstore(&t.shards[i])
		}
	}
}

func (t *table) unstore(s *shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, cuts := range s.more {
		cuts = slices.Clone(cuts)
		for i := range cuts {
			cuts[i].stored = false
		}
		s.more[id] = cuts
	}
	a := s.array.Load()
	a.each(t.width, func(at int) {
		word := a.words[at+1]
		t.count(word&bitStored != 0, false)
		atomic.StoreUint64(&a.words[at+1], word&^bitStored)
	})
}

// Lose says that the store lacks this mark again.
func (s *Set) Lose(e Entry) {
	t := &s.tables[e.Axis]
	first, last := e.ID.words()
	sh := t.shard(last)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a := sh.array.Load()
	at, ok := a.find(first, last, t.width)
	if !ok {
		return
	}
	cuts := slices.Clone(t.cuts(sh, a, at, e.ID))
	for i := range cuts {
		cuts[i].stored = false
	}
	t.write(sh, a, at, e.ID, cuts)
}

// Sweep drops the marks that are over, a shard at a time, and frees their memory.
// It takes a tenth of a second for ten million; nobody waits for it.
func (s *Set) Sweep() {
	for a := range s.tables {
		t := &s.tables[a]
		for i := range t.shards {
			t.sweep(&t.shards[i])
		}
	}
}

// sweep builds a shard anew if an eighth of it is over.
func (t *table) sweep(s *shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clock := clock()
	if gone := s.used - t.settle(s, clock); gone*8 > s.used {
		t.rebuild(s, clock, 0)
	}
}

// Reserve makes room for about n marks of an axis, so that they come in faster.
func (s *Set) Reserve(a Axis, n int) {
	t := &s.tables[a]
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		if room := n/shards - sh.used; room > 0 {
			t.rebuild(sh, clock(), room)
		}
		sh.mu.Unlock()
	}
}
