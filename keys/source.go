package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/carnet-go/carnet/keys/keystore"
)

// A Source is where a ring is kept. [Open] and [OpenVerifyOnly] are short for the
// methods of a Source that has just a Path.
type Source struct {
	// Path is the file that has the ring. It is used if Store is nil.
	Path string

	// Store is any other place.
	Store keystore.Store

	// Plain lets Create write the secrets in the clear: whoever reads the
	// document can mint sessions.
	Plain bool
}

func (s Source) store() keystore.Store {
	if s.Store != nil {
		return s.Store
	}
	return keystore.File(s.Path)
}

// Create puts a new ring into an empty store. If there is one already, the error
// wraps [io/fs.ErrExist].
func (s Source) Create(ctx context.Context, set *Set) error {
	if !s.Plain {
		return errors.New("create key ring: the keys would be in the clear: say that this is meant by Plain")
	}
	doc, err := set.marshal()
	if err != nil {
		return fmt.Errorf("create key ring: %w", err)
	}
	err = s.store().Save(ctx, nil, doc)
	if errors.Is(err, keystore.ErrConflict) {
		return fmt.Errorf("create key ring in %s: %w: choose another place, or rotate the ring that is there", s.store(), fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("create key ring in %s: %w", s.store(), err)
	}
	return nil
}

// Load returns the ring as it is now, for looking at it. To follow it, use
// [Source.Open].
func (s Source) Load(ctx context.Context) (*Set, error) {
	set, _, err := s.load(ctx)
	return set, err
}

func (s Source) load(ctx context.Context) (*Set, []byte, error) {
	doc, err := s.store().Load(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("open key ring: %w", err)
	}
	set, err := parseRing(doc)
	if err != nil {
		return nil, nil, fmt.Errorf("open key ring %s: %w", s.store(), err)
	}
	return set, doc, nil
}

// Edit changes the ring: it loads the set, calls change, and saves what that
// returns, in one step that a crash can't split. If change fails, or returns the
// set that it was given, the ring stays as it is.
//
// If somebody else changed the ring in the meantime, Edit changes nothing and
// returns [keystore.ErrConflict]. It does not try again, because what was decided
// may not be right any more: two rotations at once must not become two in a row.
// After any other error of the store the change may have been saved or not.
func (s Source) Edit(ctx context.Context, change func(*Set) (*Set, error)) (*Set, error) {
	old, doc, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	next, err := change(old)
	if err != nil {
		return nil, fmt.Errorf("edit key ring %s: %w", s.store(), err)
	}
	if next == old {
		return old, nil
	}
	edited, err := next.marshal()
	if err == nil {
		err = s.store().Save(ctx, doc, edited)
	}
	if err != nil {
		return nil, fmt.Errorf("edit key ring %s: %w", s.store(), err)
	}
	return next, nil
}

// Open returns the ring, to mint and read tokens with.
func (s Source) Open(ctx context.Context) (*Ring, error) {
	r := &Ring{src: &s}
	if err := r.reload(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// OpenVerifyOnly returns a verify-only ring, to read tokens with.
func (s Source) OpenVerifyOnly(ctx context.Context) (*VerifyRing, error) {
	r := &VerifyRing{src: &s}
	if err := r.reload(ctx); err != nil {
		return nil, err
	}
	return r, nil
}
