package keys_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystest"
	"github.com/carnet-go/carnet/token"
)

// An openRing is of either kind.
type openRing interface {
	token.Opener
	Reload() error
	Generation() uint64
}

// A restored backup that was edited more often than the ring lacks its newest keys.
func TestNoKeyIsLostToAForkedRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		backup := f.load()
		must(t)(f.src.Edit(t.Context(), rotate))
		for _, node := range []openRing{f.mint, f.verify} {
			if err := node.Reload(); err != nil {
				t.Fatal(err)
			}
		}
		tok := seal(t, f.mint)
		right := f.load()
		f.place.set(nil, f.fork(backup, rotate, rotate, rotate))
		for _, node := range []openRing{f.mint, f.verify} {
			if err := node.Reload(); err == nil || !strings.Contains(err.Error(), "its generation 2 is another") {
				t.Errorf("%v took a ring with another past: %v", node, err)
			}
			if _, err := node.Open(tok, session); err != nil {
				t.Errorf("%v lost a key: %v", node, err)
			}
		}
		f.place.set(nil, f.fork(right, rotate, rotate))
		for _, node := range []openRing{f.mint, f.verify} {
			if err := node.Reload(); err != nil || node.Generation() != 4 {
				t.Errorf("%v does not follow the right ring: %v", node, err)
			}
		}
	})
}

// A ring that came further than its record goes back can't be told from another.
func TestARingThatCameTooFarIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		must(t)(f.src.Edit(t.Context(), func(s *keys.Set) (_ *keys.Set, err error) {
			for range 501 {
				if s, err = s.Rotate("", true); err == nil {
					s, err = s.Prune(true, s.Keys()[0].ID)
				}
			}
			return s, err
		}))
		for _, node := range []openRing{f.mint, f.verify} {
			if err := node.Reload(); err == nil || !strings.Contains(err.Error(), "how it came from generation 1 to 1003") {
				t.Errorf("%v: %v", node, err)
			}
		}
	})
}

// load returns the document of the ring.
func (f *fleet) load() []byte {
	f.Helper()
	doc, err := f.place.Load(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return doc
}

// fork returns what a copy of an old document becomes by edits of its own.
func (f *fleet) fork(doc []byte, edits ...func(*keys.Set) (*keys.Set, error)) []byte {
	f.Helper()
	copied := keys.Source{Store: keystest.NewStore(), Key: f.src.Key}
	if err := copied.Store.Save(f.Context(), nil, doc); err != nil {
		f.Fatal(err)
	}
	for _, change := range edits {
		if _, err := copied.Edit(f.Context(), change); err != nil {
			f.Fatal(err)
		}
	}
	forked, err := copied.Store.Load(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return forked
}

// A restored backup that was edited has a generation as high as that of the ring,
// and the key that was revoked since.
func TestNobodyIsLetBackInByAForkedRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		backup := f.load()
		stolen, leaked := seal(t, f.mint), f.mint.Set().Keys()[0].ID
		if _, err := f.src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Revoke(leaked) }); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.mint.Reload(), f.verify.Reload()); err != nil {
			t.Fatal(err)
		}
		for what, c := range map[string]struct {
			doc  []byte
			want string
		}{
			"the same generation": {f.fork(backup, rotate), "two versions of generation 2"},
			"a higher generation": {f.fork(backup, rotate, rotate), "brings back the revoked key " + leaked},
		} {
			f.place.set(nil, c.doc)
			for _, node := range []openRing{f.mint, f.verify} {
				if err := node.Reload(); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v", what, err)
				}
			}
			f.place.set(nil, nil)
			if err := errors.Join(f.mint.Reload(), f.verify.Reload()); err != nil {
				t.Fatal(err)
			}
			for _, node := range []openRing{f.mint, f.verify} {
				if _, err := node.Open(stolen, session); !errors.Is(err, keys.ErrRevokedKey) {
					t.Errorf("%s: the revoked key opens again: %v", what, err)
				}
			}
		}

		// A key that was pruned after its revocation does not come back either.
		if _, err := f.src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Prune(true, leaked) }); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.mint.Reload(), f.verify.Reload()); err != nil {
			t.Fatal(err)
		}
		f.place.set(nil, f.fork(backup, rotate, rotate, rotate, rotate))
		for _, node := range []openRing{f.mint, f.verify} {
			if err := node.Reload(); err == nil || !strings.Contains(err.Error(), "brings back") {
				t.Errorf("after the prune: %v", err)
			}
		}
	})
}

func TestZeroRingsFail(t *testing.T) {
	for _, node := range []openRing{new(keys.Ring), new(keys.VerifyRing)} {
		if _, err := node.Open("x", session); err == nil || errors.Is(err, keys.ErrUnknownKey) {
			t.Errorf("%v: got %v", node, err)
		}
		if err := node.Reload(); err == nil {
			t.Errorf("%v: reloaded", node)
		}
		if node.Generation() != 0 {
			t.Errorf("%v has a generation", node)
		}
	}
	if new(keys.Ring).Set() != nil {
		t.Error("a ring that was not opened has a set")
	}
}
