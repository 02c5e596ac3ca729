package keys

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/carnet-go/carnet/internal/hot"
	"github.com/carnet-go/carnet/token"
)

var _ token.Opener = (*VerifyRing)(nil)

// A VerifyRing reads tokens and can't mint them: it has no field that could hold
// a private key. It is safe for concurrent use.
type VerifyRing struct {
	src   *Source
	table atomic.Pointer[table]

	caching caching
}

// A table finds the key of a token. It never changes; a live ring swaps tables.
type table struct {
	name       string
	generation uint64
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
// writes it. The file must be readable by its owner alone: whoever has it can
// read every token. For other places see [Source.OpenVerifyOnly].
func OpenVerifyOnly(path string) (*VerifyRing, error) {
	return Source{Path: path}.OpenVerifyOnly(context.Background())
}

// Reload reads the ring again. If that fails it goes on with the keys it has, and
// the error says why.
func (r *VerifyRing) Reload() error { return r.reload(context.Background()) }

func (r *VerifyRing) reload(ctx context.Context) error {
	if r.src == nil {
		return errors.New("reload key ring: it was not opened from a store")
	}
	doc, err := r.src.store().Load(ctx)
	if err != nil {
		return fmt.Errorf("open verify-only ring: %w", err)
	}
	_, d, err := unseal(doc, r.src.Key, kindVerifyOnly)
	if err != nil {
		return fmt.Errorf("open verify-only ring %s: %w", r.src.store(), err)
	}
	t, err := d.table()
	if err == nil {
		err = r.table.Load().succeededBy(t)
	}
	if err != nil {
		return fmt.Errorf("open verify-only ring %s: %w", r.src.store(), err)
	}
	r.hold(t)
	return nil
}

// succeededBy refuses a table of another ring or of an older generation: what a
// restored backup or a swapped file would bring back is revoked keys.
func (t *table) succeededBy(next *table) error {
	switch {
	case t == nil:
		return nil
	case t.name != next.name:
		return errors.New("the file holds another ring now: restart the program if that is meant")
	case t.generation > next.generation:
		return fmt.Errorf("the file went back from generation %d to %d: restart the program if that is meant",
			t.generation, next.generation)
	}
	return nil
}

// Generation returns the generation of the set that the ring was exported from.
func (r *VerifyRing) Generation() uint64 { return r.table.Load().generation }

// Open returns the claims of a token that any key of the ring sealed, unless the
// key is revoked. See [token.Opener]; issuer, audience and times are left to the
// caller.
func (r *VerifyRing) Open(tok string, b token.Binding) (token.Claims, error) {
	return r.table.Load().open(tok, b)
}

// Format prints the generation, whatever the verb.
func (r *VerifyRing) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "keys.VerifyRing(generation %d)", r.Generation())
}
