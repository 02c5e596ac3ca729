// Package overflowtest has the tests that every [overflow.Store] must pass.
package overflowtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw/overflow"
	"github.com/carnet-go/carnet/token"
)

// TestStore tests stores that open returns, each empty.
func TestStore(t *testing.T, open func(t *testing.T) overflow.Store) {
	t.Run("what was put is there", func(t *testing.T) { testPut(t, open(t)) })
	t.Run("what was not is not", func(t *testing.T) { testMissing(t, open(t)) })
	t.Run("versions", func(t *testing.T) { testVersions(t, open(t)) })
	t.Run("at the same time", func(t *testing.T) { testParallel(t, open(t)) })
	t.Run("memory of its own", func(t *testing.T) { testAliasing(t, open(t)) })
	t.Run("save and load", func(t *testing.T) { testSave(t, open(t)) })
	t.Run("a time that has passed", func(t *testing.T) { testPassed(t, open(t)) })
}

// name returns one of the length that names have.
func name(n int) string { return fmt.Sprintf("%043d", n) }

func soon() time.Time { return time.Now().Add(time.Hour) }

func put(t *testing.T, s overflow.Store, session, name string, entry []byte) {
	t.Helper()
	if err := s.Put(t.Context(), session, name, entry, soon()); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, s overflow.Store, session, name string, entry []byte) {
	t.Helper()
	got, err := s.Get(t.Context(), session, name)
	if err != nil || !bytes.Equal(got, entry) {
		t.Errorf("%s of %s: %d bytes, %v, want %d", name, session, len(got), err, len(entry))
	}
}

func lacks(t *testing.T, s overflow.Store, session, name string) {
	t.Helper()
	if got, err := s.Get(t.Context(), session, name); got != nil || !errors.Is(err, overflow.ErrMissing) {
		t.Errorf("%s of %s: %d bytes, %v", name, session, len(got), err)
	}
}

func testPut(t *testing.T, s overflow.Store) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for i, entry := range [][]byte{{0}, all, bytes.Repeat(all, 1<<8), bytes.Repeat(all, 1<<12+1)} {
		put(t, s, "a", name(i), entry)
		put(t, s, "b", name(i), entry[:1])
		for range 2 {
			want(t, s, "a", name(i), entry)
		}
	}
	want(t, s, "b", name(1), all[:1])
}

func testMissing(t *testing.T, s overflow.Store) {
	lacks(t, s, "a", name(1))
	put(t, s, "a", name(1), []byte("x"))
	lacks(t, s, "a", name(2))
	lacks(t, s, "b", name(1))
	lacks(t, s, "", name(1))
}

func testVersions(t *testing.T, s overflow.Store) {
	put(t, s, "b", name(1), []byte("b"))
	for i := range 3 * overflow.Versions {
		for range 2 { // the same again is none further
			put(t, s, "a", name(i), []byte(name(i)))
		}
		for j := max(0, i+1-overflow.Versions); j <= i; j++ {
			want(t, s, "a", name(j), []byte(name(j)))
		}
	}
	want(t, s, "b", name(1), []byte("b"))
}

func testParallel(t *testing.T, s overflow.Store) {
	var wg sync.WaitGroup
	for i := range overflow.Versions {
		wg.Go(func() {
			if err := s.Put(t.Context(), "a", name(i), []byte(name(i)), soon()); err != nil {
				t.Error(err)
			}
			s.Get(t.Context(), "a", name(0))
		})
	}
	wg.Wait()
	for i := range overflow.Versions {
		want(t, s, "a", name(i), []byte(name(i)))
	}
}

func testAliasing(t *testing.T, s overflow.Store) {
	entry := []byte("one")
	put(t, s, "a", name(1), entry)
	entry[0] = 'X'
	got, err := s.Get(t.Context(), "a", name(1))
	if err != nil || string(got) != "one" {
		t.Fatalf("%q, %v", got, err)
	}
	got[0] = 'Y'
	want(t, s, "a", name(1), []byte("one"))
}

func testSave(t *testing.T, s overflow.Store) {
	ctx := t.Context()
	data := strings.Repeat("confidential ", 5000)
	ref, err := overflow.Save(ctx, s, "a", data, soon())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := overflow.Load(ctx, s, "a", ref); got != data || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := overflow.Load(ctx, s, "b", ref); got != "" || !errors.Is(err, token.ErrInvalid) {
		t.Errorf("another session's: %d bytes, %v", len(got), err)
	}
}

func testPassed(t *testing.T, s overflow.Store) {
	if err := s.Put(t.Context(), "a", name(1), []byte("x"), time.Now().Add(-time.Minute)); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(t.Context(), "a", name(1)); err != nil && !errors.Is(err, overflow.ErrMissing) {
		t.Error(err)
	}
}
