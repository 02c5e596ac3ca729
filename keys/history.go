package keys

import (
	"errors"
	"fmt"

	"github.com/carnet-go/carnet/keys/audit"
)

// A history is the digests of a ring's edits, oldest first; the last is of the edit
// that made the generation. Each covers all edits before it. A verify-only document
// has the digests in the place of the record: what two rings have in common can be
// told from them, and who made the edits can't.
type history []string

// historyOf returns the history that a record stands for. It ends where the record
// has a gap, see [checkRecord].
func historyOf(record []audit.Entry, generation uint64) (h history) {
	n := len(record)
	if n == 0 || record[n-1].Generation != generation {
		return nil
	}
	first := n - 1
	for first > 0 && record[first-1].Generation+1 == record[first].Generation && len(record[first].Before) == digestSize {
		first--
	}
	for _, e := range record[first+1:] {
		h = append(h, e.Before)
	}
	return append(h, record[n-1].Digest())
}

// at returns the digest of the edit that made an earlier generation of the ring
// whose generation is now.
func (h history) at(generation, now uint64) (digest string, ok bool) {
	back := now - generation
	if generation > now || back >= uint64(len(h)) {
		return "", false
	}
	return h[uint64(len(h))-1-back], true
}

// check refuses what no record has.
func (h history) check(generation uint64) error {
	if len(h) > maxRecord || uint64(len(h)) > generation {
		return errors.New("it lists more edits than there were, or than a ring remembers")
	}
	for _, digest := range h {
		if len(digest) != digestSize {
			return errors.New("the digest of an edit has the wrong length")
		}
	}
	return nil
}

// digestSize is the length of 32 bytes in base64url.
const digestSize = 43

// continues returns an error unless next was made from t by edits. A ring without
// any history, such as one that was written by hand, can't say, and is taken.
func (next *table) continues(t *table) error {
	mine, known := t.edits.at(t.generation, t.generation)
	if !known {
		return nil
	}
	theirs, ok := next.edits.at(t.generation, next.generation)
	switch {
	case !ok:
		return fmt.Errorf("it does not say how it came from generation %d to %d: restart the program if it is the right one", t.generation, next.generation)
	case theirs != mine:
		return fmt.Errorf("its generation %d is another than the one here: somebody edited an old copy of the ring; put the right one back and edit that, or restart the program if this is the right one", t.generation)
	}
	return nil
}
