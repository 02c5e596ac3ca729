// Package keystest has the tests that every [keystore.Store] must pass, and a
// store in memory for tests of what follows one.
package keystest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/keys/keystore"
)

// patience is how long a store may take to notice a change. Tests wait for the
// change, not for this long.
const patience = 30 * time.Second

// TestStore tests what every store promises, each promise in a subtest of its own.
// Open makes an empty place and returns a function that opens it, each time as
// another process would. It leaves the closing to t.Cleanup.
//
// Not tested: what a crash leaves behind, and who may read the document.
func TestStore(t *testing.T, open func(t *testing.T) func() keystore.Store) {
	for _, p := range []struct {
		name string
		test func(t *testing.T, open func() keystore.Store)
	}{
		{"an empty store has no document", empty},
		{"what is saved is loaded", saved},
		{"nothing is saved over what the writer has not seen", conflicts},
		{"of writers at the same moment one wins", racing},
		{"a change is noticed", watched},
		{"a watch ends with its context", unwatched},
	} {
		t.Run(p.name, func(t *testing.T) { p.test(t, open(t)) })
	}
}

// Documents returns n sealed documents of one ring, of one generation after the other.
// They are what a store meets; their keys are nobody's.
func Documents(t testing.TB, n int) [][]byte {
	t.Helper()
	key, err := kek.Parse(kek.Generate())
	if err != nil {
		t.Fatal(err)
	}
	place := keys.Source{Store: NewStore(), Key: key}
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err == nil {
		err = place.Create(t.Context(), set)
	}
	var docs [][]byte
	for err == nil && len(docs) < n {
		var doc []byte
		if doc, err = place.Store.Load(t.Context()); err == nil {
			docs = append(docs, doc)
			_, err = place.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Rotate("", true) })
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func load(t *testing.T, s keystore.Store, want []byte) {
	t.Helper()
	got, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("Load returned %d bytes that are not the %d that were saved", len(got), len(want))
	}
}

func save(t *testing.T, s keystore.Store, old, next []byte) {
	t.Helper()
	if err := s.Save(t.Context(), old, next); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

func empty(t *testing.T, open func() keystore.Store) {
	s := open()
	if doc, err := s.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load returned %d bytes and %v, want fs.ErrNotExist", len(doc), err)
	}
	if s.String() == "" {
		t.Error("the store has no name")
	}
}

func saved(t *testing.T, open func() keystore.Store) {
	a, b, docs := open(), open(), Documents(t, 3)
	var last []byte
	for i, doc := range docs {
		save(t, []keystore.Store{a, b}[i%2], last, doc)
		load(t, a, doc)
		load(t, b, doc)
		last = doc
	}
	got, err := a.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	clear(got)
	load(t, a, last)
}

func conflicts(t *testing.T, open func() keystore.Store) {
	a, b, docs := open(), open(), Documents(t, 4)
	refused := func(what string, old, next []byte) {
		t.Helper()
		if err := b.Save(t.Context(), old, next); !errors.Is(err, keystore.ErrConflict) {
			t.Errorf("%s: got %v, want keystore.ErrConflict", what, err)
		}
	}
	refused("in the place of one that was never there", docs[0], docs[1])
	if _, err := a.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a refused document was saved")
	}
	save(t, a, nil, docs[0])
	refused("as the first one, which is there", nil, docs[1])
	save(t, a, docs[0], docs[1])
	refused("in the place of the one before", docs[0], docs[2])
	refused("in the place of the next one", docs[2], docs[3])
	load(t, a, docs[1])
	load(t, b, docs[1])
}

// racing has writers move the store from each document to the next, and readers
// look on.
func racing(t *testing.T, open func() keystore.Store) {
	docs := Documents(t, 20)
	position := map[string]int{}
	for i, doc := range docs {
		position[string(doc)] = i
	}
	first := open()
	save(t, first, nil, docs[0])
	var wins, done atomic.Int64
	var writers, readers sync.WaitGroup
	for range 4 {
		s := open()
		writers.Go(func() {
			for i := range docs[1:] {
				err := s.Save(t.Context(), docs[i], docs[i+1])
				if err == nil {
					wins.Add(1)
				} else if !errors.Is(err, keystore.ErrConflict) {
					t.Errorf("Save: %v", err)
				}
			}
		})
	}
	for range 2 {
		s := open()
		readers.Go(func() {
			for last := 0; done.Load() == 0; {
				doc, err := s.Load(t.Context())
				at, ok := position[string(doc)]
				if err != nil || !ok || at < last {
					t.Errorf("a reader got %d bytes, known %v, after number %d: %v", len(doc), ok, last, err)
					return
				}
				last = at
			}
		})
	}
	writers.Wait()
	done.Store(1)
	readers.Wait()
	// Each win moves the document by one.
	doc, err := first.Load(t.Context())
	if err != nil || position[string(doc)] != int(wins.Load()) {
		t.Errorf("after %d wins it is document %d: %v", wins.Load(), position[string(doc)], err)
	}
}

func watched(t *testing.T, open func() keystore.Store) {
	a, b, docs := open(), open(), Documents(t, 3)
	save(t, a, nil, docs[0])
	changed := make(chan struct{}, 1)
	watch(t, b, changed)
	wait(t, changed, "the watch to begin")
	for i := range docs[1:] {
		save(t, a, docs[i], docs[i+1])
		for deadline := time.Now().Add(patience); ; {
			wait(t, changed, "a change to be noticed")
			if doc, err := b.Load(t.Context()); err == nil && bytes.Equal(doc, docs[i+1]) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the change was not there")
			}
		}
	}
}

// watch has s watched until the test ends.
func watch(t *testing.T, s keystore.Store, changed chan struct{}) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch: %v", err)
		}
	})
}

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
	}
}

func unwatched(t *testing.T, open func() keystore.Store) {
	s := open()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func() {}) }()
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Watch: %v", err)
		}
	case <-time.After(patience):
		t.Error("Watch goes on without its context")
	}
}
