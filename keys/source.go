package keys

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"

	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/keys/keystore"
)

// A Source is where a ring is kept. [Open] and [OpenVerifyOnly] are short for the
// methods of a Source that has just a Path.
type Source struct {
	// Path is the file that has the ring. It is used if Store is nil.
	Path string

	// Store is any other place.
	Store keystore.Store

	// Key is what the ring is sealed under. Nil means the key that the environment
	// names, see [kek.FromEnv], and if it names none that the ring is in the clear.
	// With a key a ring in the clear is refused: whoever can write to the store
	// could have put keys of his own there.
	Key *kek.Key

	// Plain is for a ring in the clear, whatever the environment names. Whoever
	// reads its document can mint sessions; [Source.Create] makes one only if Plain
	// says so.
	Plain bool

	// Signer finds the signer of a key that is not in the ring by its name, see
	// [Set.RotateTo]. It is called at the first token that the key mints. Nil is
	// for rings that have all their keys.
	Signer func(ctx context.Context, name string) (crypto.Signer, error)

	// Report is told when an open ring can't follow its store and goes on with the
	// keys it has, and again, with nil, when that is over. Nil means that
	// log/slog's default logger is told. Calls come one at a time. Report must not
	// close the ring, which waits for it.
	Report func(problem error)
}

func (s Source) store() keystore.Store {
	if s.Store != nil {
		return s.Store
	}
	return keystore.File(s.Path)
}

// withKey returns the source with its key found out.
func (s Source) withKey() (Source, error) {
	if s.Key != nil && s.Plain {
		return s, errors.New("a key for a ring in the clear: give one or say Plain")
	}
	if s.Key != nil || s.Plain {
		return s, nil
	}
	key, err := kek.FromEnv()
	s.Key = key
	return s, err
}

// Create puts a ring into an empty store: a new one, or one that was loaded from
// another place. If there is one already, the error wraps [io/fs.ErrExist].
func (s Source) Create(ctx context.Context, set *Set) error {
	s, err := s.withKey()
	if err != nil {
		return fmt.Errorf("create key ring: %w", err)
	}
	if s.Key == nil && !s.Plain {
		return errors.New("create key ring: the keys would be in the clear: set CARNET_RING_KEY, CARNET_RING_KEY_FILE or CARNET_RING_PASSPHRASE, or say that it is meant")
	}
	doc, err := s.write(set, nil)
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

// write returns the document of a set. Before is what it was sealed in. What no
// program could read again is not written.
func (s Source) write(set *Set, before *sealedDocument) ([]byte, error) {
	doc, err := s.marshal(set, before)
	if err != nil {
		return nil, err
	}
	_, r, err := unseal(doc, s.Key, kindRing)
	if err == nil {
		_, err = r.set()
	}
	if err == nil && len(doc) > keystore.MaxSize {
		err = fmt.Errorf("it would have %d bytes, and at most %d can be read", len(doc), keystore.MaxSize)
	}
	if err != nil {
		return nil, fmt.Errorf("refused to save what could not be read again: %w", err)
	}
	return doc, nil
}

func (s Source) marshal(set *Set, before *sealedDocument) ([]byte, error) {
	if s.Key == nil {
		return set.marshal()
	}
	if before == nil {
		return set.seal(s.Key, nil)
	}
	return set.seal(s.Key, &before.Envelope)
}

// Load returns the ring as it is now, for looking at it. To follow it, use
// [Source.Open].
func (s Source) Load(ctx context.Context) (*Set, error) {
	s, err := s.withKey()
	if err != nil {
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	set, _, _, err := s.load(ctx)
	return set, err
}

func (s Source) load(ctx context.Context) (set *Set, doc []byte, sealed *sealedDocument, err error) {
	if doc, err = s.store().Load(ctx); err != nil {
		return nil, nil, nil, fmt.Errorf("open key ring: %w", err)
	}
	t, r, err := unseal(doc, s.Key, kindRing)
	if err == nil {
		set, err = r.set()
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open key ring %s: %w", s.store(), err)
	}
	return set, doc, t.sealed, nil
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
	s, err := s.withKey()
	if err != nil {
		return nil, fmt.Errorf("edit key ring: %w", err)
	}
	return s.edit(ctx, s, change)
}

// edit saves with the key of to.
func (s Source) edit(ctx context.Context, to Source, change func(*Set) (*Set, error)) (*Set, error) {
	old, doc, sealed, err := s.load(ctx)
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
	edited, err := to.write(next, sealed)
	if err == nil {
		err = s.store().Save(ctx, doc, edited)
	}
	if err != nil {
		return nil, fmt.Errorf("edit key ring %s: %w", s.store(), err)
	}
	return next, nil
}

// Rewrap seals the ring under another key; nil puts it in the clear. It is an edit
// like others. Give every node both keys first, the new and the old, see
// [kek.Parse]: a node that has only the old one goes on with the ring it has, and
// reports it. If the old key leaked, the keys in the ring did, too: revoke them.
func (s Source) Rewrap(ctx context.Context, key *kek.Key) (*Set, error) {
	s, err := s.withKey()
	if err != nil {
		return nil, fmt.Errorf("rewrap key ring: %w", err)
	}
	return s.edit(ctx, Source{Key: key}, func(set *Set) (*Set, error) {
		next := set.edit()
		next.note("rewrap", currentSecond())
		return next, nil
	})
}

// Export returns the document for [OpenVerifyOnly]. It is sealed if the ring is,
// for the verify-only key and for the key itself.
func (s Source) Export(ctx context.Context) ([]byte, error) {
	s, err := s.withKey()
	if err != nil {
		return nil, fmt.Errorf("export key ring: %w", err)
	}
	set, _, sealed, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	if sealed == nil {
		return set.VerifyOnly()
	}
	sealed.Envelope.Ring = nil
	return sealed.marshal()
}

// VerifyKey returns the text of the verify-only key of a sealed ring, for the
// environment of nodes that only verify. It stays the same until [Source.Rewrap].
// Whoever has it can read every token of the ring, and mint none.
func (s Source) VerifyKey(ctx context.Context) (string, error) {
	s, err := s.withKey()
	if err != nil {
		return "", fmt.Errorf("derive verify-only key: %w", err)
	}
	_, _, sealed, err := s.load(ctx)
	if err != nil {
		return "", err
	}
	if sealed == nil {
		return "", fmt.Errorf("derive verify-only key: %s is in the clear: its export needs no key", s.store())
	}
	return s.Key.VerifyOnly(&sealed.Envelope)
}

// Open returns the ring, to mint and read tokens with. It follows the store until
// [Ring.Close]; ctx is for the first load only.
func (s Source) Open(ctx context.Context) (*Ring, error) {
	s, err := s.withKey()
	if err != nil {
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	r := newRing(s)
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// OpenVerifyOnly returns a verify-only ring, to read tokens with: from the export
// of a ring or, with its key or verify-only key, from a sealed ring itself. It
// follows the store until [VerifyRing.Close]; ctx is for the first load only.
func (s Source) OpenVerifyOnly(ctx context.Context) (*VerifyRing, error) {
	s, err := s.withKey()
	if err != nil {
		return nil, fmt.Errorf("open verify-only ring: %w", err)
	}
	s.Key, s.Signer = s.Key.ForVerifyOnly(), nil
	r := newVerifyRing(s)
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	return r, nil
}
