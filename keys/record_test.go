package keys_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/audit"
)

// Each change is in the record, with what it did and by whom, and moves with the
// ring from place to place.
func TestRecord(t *testing.T) {
	src := sealedFile(t)
	first := must(t)(src.Load(t.Context()))
	noted := first.Record()[0].Digest()
	second := must(t)(src.Edit(t.Context(), rotate))
	id := in(t, second, "retired").ID
	must(t)(src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Revoke(id) }))
	must(t)(src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Prune(true, id) }))
	key := newKey(t)
	must(t)(src.Rewrap(t.Context(), key))
	src.Key = key
	last := must(t)(src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) {
		s, err := s.Rotate("", true)
		if err != nil {
			return nil, err
		}
		return s.Revoke(in(t, s, "active").ID)
	}))
	record := last.Record()
	if err := audit.Check(record, last.Generation(), noted); err != nil {
		t.Error(err)
	}
	var actions []string
	host, _ := os.Hostname()
	for _, e := range record {
		actions = append(actions, e.Action)
		if !strings.HasSuffix(e.By, "@"+host) {
			t.Errorf("generation %d is by %q", e.Generation, e.By)
		}
	}
	if want := []string{"init", "rotate", "revoke", "prune", "rewrap", "rotate", "revoke"}; !slices.Equal(actions, want) {
		t.Errorf("the record has %v, want %v", actions, want)
	}
	if !slices.Equal(record[2].Keys, []string{id}) || !slices.Contains(record[1].Keys, id) || len(record[1].Keys) != 3 || len(record[6].Keys) != 3 {
		t.Errorf("the record names the keys %v", record)
	}
	moved := keys.Source{Path: t.TempDir() + "/moved.json", Plain: true}
	if err := moved.Create(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if again := must(t)(moved.Load(t.Context())); audit.Check(again.Record(), 7, record[6].Digest()) != nil || again.Generation() != 7 {
		t.Error("the record did not move with the ring")
	}
	if err := audit.Check(first.Record(), last.Generation(), noted); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("a record that ends too early: %v", err)
	}
}

// A ring that is edited for ever keeps a bounded record, which holds together.
func TestALongRecordLosesItsBeginning(t *testing.T) {
	s := newSet(t, keys.JWT)
	for range 1100 {
		s = must(t)(s.Rotate("", true))
		s = must(t)(s.Prune(true, in(t, s, "retired").ID))
	}
	if n := len(s.Record()); n != audit.Max {
		t.Errorf("%d entries", n)
	}
	s = throughAStore(t, s) // which knows who did it
	if err := audit.Check(s.Record(), s.Generation()); err != nil {
		t.Error(err)
	}
}
