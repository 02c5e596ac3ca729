package markset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// An Entry is a mark as a node keeps it, without value and reason.
type Entry struct {
	Axis   Axis
	ID     ID
	Until  int64 // seconds; the mark is over when the clock reaches it
	At     int64 // microseconds; covers what started before. Not of a session or key
	Except ID    // of the session that is spared; zero for none
}

const (
	epoch  = 946_684_800 // 2000: what Until counts from
	latest = 1<<31 - 1   // in 2068: no Until is later
)

// NewEntry returns the entry of a mark. Until is rounded up to the second,
// and is in 2068 at the latest.
func NewEntry(a Axis, value, except string, at, until time.Time) Entry {
	e := Entry{Axis: a, ID: IDOf(a, value), Until: until.Unix()}
	if until.Nanosecond() > 0 {
		e.Until++
	}
	e.Until = seconds(ticks(e.Until))
	if a.Whole() {
		return e
	}
	e.At = at.UnixMicro()
	if except != "" {
		e.Except = IDOf(Session, except)
	}
	return e
}

// ticks is an Until in 31 bits; zero is over.
func ticks(until int64) uint32 {
	return uint32(min(max(until-epoch, 0), latest))
}

func seconds(ticks uint32) int64 { return int64(ticks) + epoch }

// The first byte of an entry: the axis, and what follows Until and ID.
const (
	withMoment = 0x10 // eight bytes
	withExcept = 0x20 // twelve more
	sizeWhole  = 1 + 4 + 12
	sizeMoment = sizeWhole + 8
	sizeExcept = sizeMoment + 12
	// MaxSize is the most bytes that an entry takes.
	MaxSize = sizeExcept
)

// ErrEntry is what [Parse] says of bytes that are no entry.
var ErrEntry = errors.New("no entry of a denylist")

// Append appends the entry to b: 17 bytes for a session or a key, 25 for what has
// a moment, 37 if a session is spared.
func (e Entry) Append(b []byte) []byte {
	kind := byte(e.Axis)
	if !e.Axis.Whole() {
		kind |= withMoment
		if e.Except != (ID{}) {
			kind |= withExcept
		}
	}
	b = append(b, kind)
	b = binary.BigEndian.AppendUint32(b, ticks(e.Until))
	b = append(b, e.ID[:]...)
	if kind&withMoment != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(e.At))
	}
	if kind&withExcept != 0 {
		b = append(b, e.Except[:]...)
	}
	return b
}

// Parse reads the entry at the start of b and returns what follows it. It takes
// only what Append writes.
func Parse(b []byte) (e Entry, rest []byte, err error) {
	if len(b) < sizeWhole {
		return Entry{}, nil, fmt.Errorf("%w: %d bytes are too few", ErrEntry, len(b))
	}
	kind, size := b[0], sizeWhole
	e.Axis = Axis(kind & 0x0f)
	switch {
	case kind&^(0x0f|withMoment|withExcept) != 0 || e.Axis >= axisCount:
		return Entry{}, nil, fmt.Errorf("%w: unknown kind %#x", ErrEntry, kind)
	case e.Axis.Whole() != (kind&withMoment == 0) || e.Axis.Whole() && kind&withExcept != 0:
		return Entry{}, nil, fmt.Errorf("%w: kind %#x contradicts itself", ErrEntry, kind)
	case kind&withExcept != 0:
		size = sizeExcept
	case kind&withMoment != 0:
		size = sizeMoment
	}
	if len(b) < size {
		return Entry{}, nil, fmt.Errorf("%w: %d bytes of %d", ErrEntry, len(b), size)
	}
	t := binary.BigEndian.Uint32(b[1:])
	if t > latest {
		return Entry{}, nil, fmt.Errorf("%w: ends out of range", ErrEntry)
	}
	e.Until = seconds(t)
	copy(e.ID[:], b[5:])
	if size > sizeWhole {
		e.At = int64(binary.BigEndian.Uint64(b[17:]))
	}
	if size == sizeExcept {
		copy(e.Except[:], b[25:])
		if e.Except == (ID{}) {
			return Entry{}, nil, fmt.Errorf("%w: spares nothing", ErrEntry)
		}
	}
	return e, b[size:], nil
}
