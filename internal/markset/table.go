package markset

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	shardBits = 8
	shards    = 1 << shardBits
	slack     = 1.55 // slots for a mark after a shard was built anew: 65 % full

	widthWhole  = 2 // words of a slot without a moment
	widthMoment = 3
)

// A table holds the marks of one axis.
type table struct {
	axis   Axis
	width  int // words of a slot
	shards [shards]shard

	slots    atomic.Int64 // taken
	unstored atomic.Int64 // slots that have a mark which the store lacks
	bytes    atomic.Int64
}

// A shard is one array, replaced as a whole, and what finds no room in a slot.
type shard struct {
	array atomic.Pointer[array]

	mu   sync.RWMutex // held to write, and to read more
	used int
	more map[ID][]cut
	void map[ID]cut // marks that were undone, as far as their until and at
}

// An array has slots of two or three words:
//
//	the first 64 bits of the id, never zero in a slot that is taken
//	the last 32 bits | 31 bits of until | stored
//	63 bits of at | the cuts lie in more
type array struct {
	words []uint64
	slots uint64
}

const (
	bitStored = 1
	bitMore   = 1
)

func (id ID) words() (first uint64, last uint32) {
	first = binary.BigEndian.Uint64(id[:8])
	if first == 0 {
		first = 1
	}
	return first, binary.BigEndian.Uint32(id[8:])
}

func joined(first uint64, last uint32) (id ID) {
	binary.BigEndian.PutUint64(id[:8], first)
	binary.BigEndian.PutUint32(id[8:], last)
	return id
}

func (t *table) shard(last uint32) *shard { return &t.shards[shardOf(last)] }

func shardOf(last uint32) uint32 { return last * 0x9e3779b1 >> (32 - shardBits) }

func (a *array) start(first uint64) uint64 {
	at, _ := bits.Mul64(first, a.slots)
	return at
}

// find returns where the words of an id begin. It is called with and without the
// lock.
func (a *array) find(first uint64, last uint32, width int) (at int, ok bool) {
	if a == nil {
		return 0, false
	}
	at = int(a.start(first)) * width
	for {
		switch atomic.LoadUint64(&a.words[at]) {
		case 0:
			return at, false
		case first:
			if uint32(atomic.LoadUint64(&a.words[at+1])>>32) == last {
				return at, true
			}
		}
		if at += width; at == len(a.words) {
			at = 0
		}
	}
}

// covering returns the mark in force that covers a session of that id and start.
func (t *table) covering(id, session ID, started int64, now func() int64) (e Entry, ok bool) {
	first, last := id.words()
	s := t.shard(last)
	a := s.array.Load()
	at, ok := a.find(first, last, t.width)
	if !ok {
		return Entry{}, false
	}
	c := cut{until: until(atomic.LoadUint64(&a.words[at+1]))}
	if !t.axis.Whole() {
		moment := atomic.LoadUint64(&a.words[at+2])
		if moment&bitMore != 0 {
			return t.beside(s, id, session, started, ticks(now()))
		}
		if c.at = int64(moment) >> 1; started >= c.at {
			return Entry{}, false // before the clock is read, which takes longer
		}
	}
	return t.entry(id, c), c.inForce(ticks(now()))
}

func (t *table) beside(s *shard, id, session ID, started int64, clock uint32) (Entry, bool) {
	s.mu.RLock()
	cuts := s.more[id]
	s.mu.RUnlock()
	for _, c := range cuts {
		spared := c.except != (ID{}) && c.except == session
		if c.inForce(clock) && !spared && started < c.at {
			return t.entry(id, c), true
		}
	}
	return Entry{}, false
}

func (c cut) inForce(clock uint32) bool { return clock < c.until }

func until(word uint64) uint32 { return uint32(word) >> 1 }

func (t *table) entry(id ID, c cut) Entry {
	return Entry{Axis: t.axis, ID: id, Until: seconds(c.until), At: c.at, Except: c.except}
}
