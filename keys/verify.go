package keys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"

	"github.com/carnet-go/carnet/internal/hot"
	"github.com/carnet-go/carnet/token"
)

var _ token.Opener = (*VerifyRing)(nil)

// A VerifyRing reads tokens and can't mint them: it has no field that could hold
// a private key. It follows the store that it was opened from, and is safe for
// concurrent use.
type VerifyRing struct {
	*live[table] // behind a pointer, which fmt does not follow
}

func newVerifyRing(src Source) *VerifyRing {
	return &VerifyRing{&live[table]{
		what: "verify-only ring", kind: kindVerifyOnly, src: src,
		table: func(t *table) *table { return t },
		parse: func(d *ringDocument, _ *table) (*table, error) { return d.table() },
	}}
}

// A table finds the key of a token. It never changes; a live ring swaps tables.
type table struct {
	name       string
	generation uint64
	edits      history
	openers    map[string]opener   // by label
	revoked    map[string]struct{} // by id
	cache      atomic.Pointer[hot.Cache]
}

func (t *table) open(tok string, b token.Binding) (token.Claims, error) {
	o, err := t.find(tok)
	if err != nil {
		return token.Claims{}, err
	}
	return o.Open(tok, b)
}

// find returns the key of a token.
func (t *table) find(tok string) (opener, error) {
	if t == nil {
		return nil, errNotOpened
	}
	if len(tok) > token.MaxSize {
		return nil, token.ErrTooLarge
	}
	l, ok := label(tok)
	if !ok {
		return nil, token.ErrMalformed
	}
	o, ok := t.openers[l]
	if !ok {
		return nil, t.missing(l)
	}
	return o, nil
}

func (t *table) missing(l string) error {
	id, ok := labelID(l)
	if !ok {
		return token.ErrMalformed
	}
	if _, ok := t.revoked[id]; ok {
		return ErrRevokedKey
	}
	return ErrUnknownKey
}

// OpenVerifyOnly returns the ring in a verify-only file, as "carnet export"
// writes it, and follows it. The file must be readable by its owner alone: whoever
// has it can read every token, if it is in the clear. A sealed one is opened with
// the key that the environment names, which should be the verify-only key. For
// other places and keys see [Source.OpenVerifyOnly].
func OpenVerifyOnly(path string) (*VerifyRing, error) {
	return Source{Path: path}.OpenVerifyOnly(context.Background())
}

// errNotOpened is a ring that nobody opened, such as a zero value.
var errNotOpened = errors.New("the key ring was not opened")

// succeededBy refuses a table of another ring, of an older generation, or of
// another history: what a restored backup or a swapped file would bring back is
// revoked keys. What was revoked once stays so for as long as the process lives.
// Same says that both are from the same text.
func (t *table) succeededBy(next *table, same bool) error {
	switch {
	case t.name != next.name:
		return errors.New("another ring is there now: restart the program if that is meant")
	case t.generation > next.generation:
		return fmt.Errorf("%w from generation %d to %d: restart the program if that is meant",
			errBehind, t.generation, next.generation)
	case t.generation == next.generation && !same:
		return fmt.Errorf("it has two versions of generation %d: somebody edited a copy of the ring; edit the right one again, or restart the program if this is the right one", t.generation)
	}
	for _, o := range next.openers {
		if _, ok := t.revoked[o.ID()]; ok {
			return fmt.Errorf("it brings back the revoked key %s: somebody edited an old copy of the ring; revoke the key again", o.ID())
		}
	}
	if err := next.continues(t); err != nil {
		return err
	}
	maps.Copy(next.revoked, t.revoked)
	return nil
}

// Format prints the generation, whatever the verb.
func (r *VerifyRing) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "keys.VerifyRing(generation %d)", r.Generation())
}
