// Package audit has the record of who did what to a key ring, and when. It is kept
// in the ring itself and changes in the same step.
//
// Each entry has the digest of the one before, so none can be changed, left out or
// put in without changing all that follow. Who can write a whole new ring can write
// a whole new record, too: note the last digest elsewhere from time to time, and
// have [Check] look for it.
package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// Errors about a record.
var (
	// ErrBroken is a record of which something was changed, left out or put in.
	ErrBroken = errors.New("the record is broken")

	// ErrAbsent is a record without the entry that was noted earlier. It was made
	// anew, or the ring is another one, or the entry is older than the record goes
	// back.
	ErrAbsent = errors.New("the record does not have the entry that was noted")
)

// Max is how many changes a ring remembers: more than a month of one an hour. Then
// each new one takes the place of the oldest.
const Max = 1000

// An Entry is one change of a ring.
type Entry struct {
	Generation uint64    `json:"generation"`      // that the change made
	At         time.Time `json:"at"`              // whole seconds, by the clock of who did it
	By         string    `json:"by,omitzero"`     // user and host, as that machine has them; nobody vouches for it
	Action     string    `json:"action"`          // "init", "rotate", "revoke", "prune" or "rewrap"
	Keys       []string  `json:"keys,omitzero"`   // ids of the keys whose state it changed
	Before     string    `json:"before,omitzero"` // digest of the entry before; empty for the first
}

// Digest returns the SHA-256 of the entry in base64url. It covers all before it.
func (e Entry) Digest() string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // an entry is plain data
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Check returns nil if the entries are a record without a gap that ends with a
// generation and has the entries with the noted digests. It begins with "init" at
// generation 1; only one of [Max] entries may have lost its oldest. Whether the last
// entry is as it was written nobody can tell without its digest.
func Check(entries []Entry, generation uint64, noted ...string) error {
	if len(entries) == 0 {
		return fmt.Errorf("%w: it is empty", ErrBroken)
	}
	if err := checkEnds(entries, generation); err != nil {
		return err
	}
	digests := map[string]bool{}
	for i, e := range entries {
		if e.By == "" || e.Action == "" || e.At.IsZero() {
			return fmt.Errorf("%w: the entry of generation %d does not say who did what when", ErrBroken, e.Generation)
		}
		if i > 0 && (e.Before != entries[i-1].Digest() || e.Generation != entries[i-1].Generation+1) {
			return fmt.Errorf("%w between generations %d and %d", ErrBroken, entries[i-1].Generation, e.Generation)
		}
		digests[e.Digest()] = true
	}
	for _, d := range noted {
		if !digests[d] {
			return fmt.Errorf("%w: %.50q", ErrAbsent, d)
		}
	}
	return nil
}

func checkEnds(entries []Entry, generation uint64) error {
	first, last := entries[0], entries[len(entries)-1]
	isFirst := first.Generation == 1 && first.Before == "" && first.Action == "init"
	wasLater := first.Generation > 1 && first.Before != "" && len(entries) == Max
	switch {
	case len(entries) > Max:
		return fmt.Errorf("%w: it has %d entries, and at most %d are kept", ErrBroken, len(entries), Max)
	case !isFirst && !wasLater:
		return fmt.Errorf("%w: its beginning is gone, or was put in: it has %d entries and begins with generation %d", ErrBroken, len(entries), first.Generation)
	case last.Generation != generation:
		return fmt.Errorf("%w: it ends with generation %d, and the ring is at %d", ErrBroken, last.Generation, generation)
	}
	return nil
}
