package keys

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/carnet-go/carnet/token"
)

var _ token.Sealer = (*Ring)(nil)

// A Ring mints and reads tokens, and follows the store that it was opened from. It
// is safe for concurrent use.
type Ring struct {
	*live[snapshot] // behind a pointer, which fmt does not follow
}

// A snapshot is one generation of a ring, ready for use. It never changes.
type snapshot struct {
	set    *Set
	table  *table
	active sealer
	sealed *atomic.Uint64 // tokens that this process sealed with the active key

	retired map[string]struct{} // by id
}

// Ring returns a ring of this set that lives in memory only, for tests and for
// programs that keep their keys elsewhere.
func (s *Set) Ring() (*Ring, error) {
	snap, err := newSnapshot(s, nil)
	if err != nil {
		return nil, fmt.Errorf("new key ring: %w", err)
	}
	r := newRing(Source{})
	r.hold(snap)
	return r, nil
}

func newRing(src Source) *Ring {
	return &Ring{&live[snapshot]{
		what: "key ring", kind: kindRing, src: src,
		table:  func(s *snapshot) *table { return s.table },
		sealed: func(s *snapshot) (string, uint64) { return s.active.ID(), s.sealed.Load() },
		parse: func(d *ringDocument, old *snapshot) (*snapshot, error) {
			set, err := d.set()
			if err != nil {
				return nil, err
			}
			snap, err := newSnapshot(set, src.Signer)
			if err == nil && old != nil && old.active.ID() == snap.active.ID() {
				snap.sealed = old.sealed
			}
			return snap, err
		},
	}}
}

func newSnapshot(s *Set, find findSigner) (*snapshot, error) {
	snap := &snapshot{set: s, sealed: new(atomic.Uint64), table: newTable(s.name, s.generation, historyOf(s.record, s.generation)), retired: map[string]struct{}{}}
	for _, k := range s.keys {
		if k.State == revoked {
			snap.table.revoked[k.ID] = struct{}{}
			continue
		}
		so, err := newSealer(k.Format, k.seal[:], k.signer(find))
		if err != nil {
			return nil, err
		}
		snap.table.openers[so.Label()] = so
		switch k.State {
		case active:
			snap.active = so
		case retired:
			snap.retired[k.ID] = struct{}{}
		}
	}
	return snap, nil
}

func newTable(name string, generation uint64, edits history) *table {
	return &table{name: name, generation: generation, edits: edits, openers: map[string]opener{}, revoked: map[string]struct{}{}}
}

// Open returns the ring in a file that "carnet init" made, and follows it: when the
// file is replaced, the ring has the new keys within seconds. The file must be
// readable by its owner alone: whoever has it can mint sessions, if it is in the
// clear. A sealed one is opened with the key that the environment names. For other
// places and keys see [Source.Open].
func Open(path string) (*Ring, error) {
	return Source{Path: path}.Open(context.Background())
}

// Set returns what the ring holds now, nil if nothing was opened into it.
func (r *Ring) Set() *Set {
	if snap := r.now(); snap != nil {
		return snap.set
	}
	return nil
}

// Seal mints a token with the active key. It refuses claims that outlive the
// policy's TokenLife, because the key might be pruned before them.
func (r *Ring) Seal(c token.Claims) (string, error) {
	snap := r.now()
	if snap == nil {
		return "", errNotOpened
	}
	if life := c.ExpiresAt.Sub(c.IssuedAt); life > snap.set.policy.TokenLife {
		return "", fmt.Errorf("seal token: a life of %v is longer than the ring's %v: make the ring with a longer token life",
			life, snap.set.policy.TokenLife)
	}
	if n := snap.sealed.Add(1); n > maxSealed && snap.set.in(active).Format == JWT {
		return "", fmt.Errorf("seal token: 2^32 tokens were sealed with the key %s, which is all that it is good for: rotate the ring", snap.active.ID())
	}
	return snap.active.Seal(c)
}

// Retired reports whether the key with that id was active and mints no more. A
// token of such a key is good; a [token.Issuer] renews it early. It is false for a
// key that only other nodes have made active so far: two nodes never renew each
// other's tokens in turn.
func (r *Ring) Retired(kid string) bool {
	snap := r.now()
	if snap == nil {
		return false
	}
	_, ok := snap.retired[kid]
	return ok
}

// Format prints the generation, whatever the verb.
func (r *Ring) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "keys.Ring(generation %d)", r.Generation())
}
