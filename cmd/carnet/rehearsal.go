package main

import (
	"context"
	"errors"

	"github.com/carnet-go/carnet/keys/keystore"
)

// A rehearsal is a store that saves nothing: a dry run does what the real one would,
// up to there.
type rehearsal struct {
	keystore.Store
	saved []byte
}

// Save refuses what the store is known to refuse.
func (r *rehearsal) Save(_ context.Context, _, next []byte) error {
	if f, ok := r.Store.(keystore.File); ok {
		r.saved = next
		return replaceable(string(f))
	}
	if headOf(next).Kind != sealedKind {
		return errors.New("a ring in Redis must be sealed: give a key-encryption key")
	}
	r.saved = next
	return nil
}

// rehearse returns the place with a store that saves nothing.
func (p place) rehearse() (place, *rehearsal) {
	r := &rehearsal{Store: p.store()}
	p.Store = r
	return p, r
}

func (p place) store() keystore.Store {
	if p.Store != nil {
		return p.Store
	}
	return keystore.File(p.Path)
}

// sealedUnder returns the id of the key that a ring is sealed under, or "".
func (p place) sealedUnder(ctx context.Context) string {
	doc, err := p.store().Load(ctx)
	if err != nil {
		return ""
	}
	return headOf(doc).Ring.KeyID
}
