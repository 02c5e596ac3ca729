package hot

import "unsafe"

// A table is where the entries are, and who waits at the door.
type table struct {
	sets []set // a power of two
	door door
}

// How many bytes an entry takes at least, about.
const (
	leastSize   = 1024
	leastDigest = 512
)

func newTable(max int64, digest bool) *table {
	least := int64(leastSize)
	if digest {
		least = leastDigest
	}
	n := 1
	for int64(n)*ways*least < max {
		n *= 2
	}
	return &table{make([]set, n), newDoor(n)}
}

func (t *table) bytes() int64 {
	return int64(len(t.sets))*int64(unsafe.Sizeof(set{})) + t.door.bytes()
}

// choices returns the sets that a key can be in. With one choice a few sets would be full
// long before the cache is; with two, hardly any.
func (t *table) choices(k *key) [2]*set {
	mask := uint64(len(t.sets) - 1)
	return [2]*set{&t.sets[k.hash&mask], &t.sets[k.hash>>28&mask]}
}

// find returns the entry of a key, or nil, with its set and slot. Both sets are read at
// once, as each can be far from the processor.
func (t *table) find(k *key, by any) (s *set, i int, e *entry) {
	sets := t.choices(k)
	first, second := sets[0].tags.Load(), sets[1].tags.Load()
	if i, e = sets[0].find(first, k, by); e != nil {
		return sets[0], i, e
	}
	i, e = sets[1].find(second, k, by)
	return sets[1], i, e
}

// free reports whether a key has an empty slot.
func (t *table) free(k *key) bool {
	s := t.choices(k)
	return s[0].free() < ways || s[1].free() < ways
}

// place returns the slot for a new entry: that of the same token, an empty one, or one
// that was not used lately.
func (t *table) place(k *key, by any) (*set, int) {
	if s, i, e := t.find(k, by); e != nil {
		return s, i
	}
	sets := t.choices(k)
	for _, s := range sets {
		if i := s.free(); i < ways {
			return s, i
		}
	}
	return sets[0], sets[0].victim()
}
