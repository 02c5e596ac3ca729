package overflow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/carnet-go/carnet/chimw/overflow"
	"github.com/carnet-go/carnet/chimw/overflow/overflowtest"
	"github.com/carnet-go/carnet/token"
)

func TestMemory(t *testing.T) {
	overflowtest.TestStore(t, func(*testing.T) overflow.Store { return new(overflow.Memory) })
}

func TestMemoryForgetsAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &overflow.Memory{Max: 5000}
		until := time.Now().Add(time.Hour)
		put := func(session int, until time.Time) error {
			return m.Put(t.Context(), fmt.Sprint(session), "name", make([]byte, 50), until)
		}
		for i := range 100 {
			if err := put(i, until); err != nil {
				t.Fatalf("session %d: %v", i, err)
			}
		}
		if err := put(100, until); !errors.Is(err, overflow.ErrFull) || errors.Is(err, token.ErrInvalid) {
			t.Errorf("one too many: %v", err)
		}
		if err := put(7, until); err != nil {
			t.Errorf("what is there already, when full: %v", err)
		}
		time.Sleep(time.Hour - 1)
		if _, err := m.Get(t.Context(), "7", "name"); err != nil {
			t.Errorf("just before it ends: %v", err)
		}
		if err := put(100, until); !errors.Is(err, overflow.ErrFull) {
			t.Errorf("just before they end: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := m.Get(t.Context(), "7", "name"); !errors.Is(err, overflow.ErrMissing) {
			t.Errorf("when it has ended: %v", err)
		}
		if err := put(100, until.Add(time.Hour)); err != nil {
			t.Errorf("when they have ended: %v", err)
		}
	})
}

// A thief is who can read and write the whole store.
type thief struct {
	overflow.Store
	seen map[string][]byte // by session and name
	give []byte            // instead of what is there
}

func (s *thief) Put(ctx context.Context, session, name string, entry []byte, until time.Time) error {
	s.seen[session+" "+name] = bytes.Clone(entry)
	return s.Store.Put(ctx, session, name, entry, until)
}

func (s *thief) Get(ctx context.Context, session, name string) ([]byte, error) {
	if s.give != nil {
		return s.give, nil
	}
	return s.Store.Get(ctx, session, name)
}

func TestWhoHasTheStoreHasNothing(t *testing.T) {
	s := &thief{Store: new(overflow.Memory), seen: map[string][]byte{}}
	until := time.Now().Add(time.Hour)
	save := func(session, data string) string {
		t.Helper()
		ref, err := overflow.Save(t.Context(), s, session, data, until)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	ref := save("alice's", `{"Name":"confidential"}`)
	older := save("alice's", `{"Name":"confidential, before"}`)
	same := save("alice's", `{"Name":"confidential"}`)
	other := save("bob's", `{"Name":"confidential"}`)
	if ref == same || len(s.seen) != 4 {
		t.Error("two entries are one")
	}
	for place, entry := range s.seen {
		if bytes.Contains(entry, []byte("confidential")) || strings.Contains(ref, string(entry)) {
			t.Error("an entry can be read")
		}
		s.give = entry
		got, err := overflow.Load(t.Context(), s, "alice's", ref)
		if own := got != ""; own != (err == nil) || own && got != `{"Name":"confidential"}` || err != nil && reasonOf(err) != "data altered" {
			t.Errorf("the entry of %.8s is taken: %v", place, err)
		}
		for i := range entry {
			s.give = bytes.Clone(entry)
			s.give[i] ^= 1
			if got, err := overflow.Load(t.Context(), s, "alice's", ref); got != "" || reasonOf(err) != "data altered" {
				t.Errorf("byte %d altered: %v", i, err)
			}
		}
	}
	for _, bad := range [][]byte{{}, bytes.Repeat([]byte{1}, 1000)} {
		s.give = bad
		if got, err := overflow.Load(t.Context(), s, "alice's", ref); got != "" || reasonOf(err) != "data altered" {
			t.Errorf("garbage: %v", err)
		}
	}
	s.give = nil
	for what, ref := range map[string]string{"another session's": other, "an unknown one": strings.Repeat("A", 86)} {
		if got, err := overflow.Load(t.Context(), s, "alice's", ref); got != "" || reasonOf(err) != "data lost" || !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, ref := range []string{ref, older, same} {
		if _, err := overflow.Load(t.Context(), s, "alice's", ref); err != nil {
			t.Errorf("its own: %v", err)
		}
	}
}

func reasonOf(err error) string {
	var r interface{ Reason() string }
	if errors.As(err, &r) {
		return r.Reason()
	}
	return ""
}

func FuzzLoad(f *testing.F) {
	s := new(overflow.Memory)
	ref, err := overflow.Save(context.Background(), s, "session", "data", time.Now().Add(time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"REF", "", "A", "REFA", "R", "REF\n", " REF", "REF=", strings.Repeat("A", 86), strings.Repeat("A", 85) + "B", strings.Repeat("-", 86)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "REF", ref)
		got, err := overflow.Load(t.Context(), s, "session", text)
		switch {
		case err == nil && got == "data" && text == ref:
		case err != nil && got == "" && errors.Is(err, token.ErrInvalid):
		default:
			t.Errorf("%q, %v", got, err)
		}
	})
}

// The id of a session may be a part of the text of a whole token.
func TestMemoryKeepsNoWholeToken(t *testing.T) {
	text := []byte(strings.Repeat("x", 64<<10))
	held := weak.Make(&text[0])
	m := new(overflow.Memory)
	session := unsafe.String(&text[0], 22)
	until := time.Now().Add(time.Hour)
	for range 2 {
		if err := m.Put(t.Context(), session, "name", []byte("entry"), until); err != nil {
			t.Fatal(err)
		}
	}
	session, text = "", nil
	runtime.GC()
	if held.Value() != nil {
		t.Error("the text is still there")
	}
	runtime.KeepAlive(m)
}
