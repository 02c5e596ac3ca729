package hot

import (
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
	"unsafe"
)

// A door remembers who was turned away. A place has the last one of its hashes: 24
// bits of the hash and, as 8 bits, when it was. Two with the same bits are one, which
// lets in one of millions that should wait; one that another took the place of has
// to come once more.
type door struct {
	places []atomic.Uint32
	turned atomic.Uint32 // how many were, ever
	shift  int           // of turned, to the clock of the door
}

const (
	placesPerSet = 4 // takes less than a hundredth of the cache
	ticks        = 4 // of the clock for as many as are turned away while the cache would fill
)

// newDoor returns the door of a cache with n sets. About two entries of a session
// with little data share one, so what comes back within 2n others would have found
// its entry in a cache that takes all.
func newDoor(n int) door {
	return door{places: make([]atomic.Uint32, placesPerSet*n), shift: bits.Len(uint(max(2*n/ticks, 1))) - 1}
}

func (d *door) bytes() int64 { return int64(len(d.places)) * int64(unsafe.Sizeof(atomic.Uint32{})) }

// admits reports whether the hash was turned away a moment ago, and if not turns
// it away now. It has the choice of two places, by chance: tokens that come in the same
// order each time would else take the place of one another for ever.
func (d *door) admits(hash uint64) bool {
	at := hash >> 8 & uint64(len(d.places)-1)
	part, now := uint32(hash>>40)<<8, uint8(d.turned.Load()>>d.shift)
	free := &d.places[at^uint64(rand.Uint32()&1)]
	for _, place := range [...]*atomic.Uint32{&d.places[at], &d.places[at^1]} {
		last := place.Load()
		switch recent := now-uint8(last) <= ticks; {
		case recent && last&^0xff == part:
			place.Store(0)
			return true
		case !recent:
			free = place
		}
	}
	free.Store(part | uint32(now))
	d.turned.Add(1)
	return false
}
