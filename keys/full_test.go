package keys_test

import (
	"strings"
	"testing"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystest"
)

func TestAFullRingIsNotWritten(t *testing.T) {
	src := keys.Source{Store: keystest.NewStore(), Plain: true}
	if err := src.Create(t.Context(), newSet(t, keys.JWT)); err != nil {
		t.Fatal(err)
	}
	fill := func(n int) error {
		_, err := src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) {
			var err error
			for err == nil && len(s.Keys()) < n {
				s, err = s.Rotate("", true)
			}
			return s, err
		})
		return err
	}
	if err := fill(1000); err != nil {
		t.Fatal(err)
	}
	if err := fill(1001); err == nil || !strings.Contains(err.Error(), "it has 1001 keys, and a ring has at most 1000: prune it") {
		t.Errorf("got %v", err)
	}
	if set, err := src.Load(t.Context()); err != nil || len(set.Keys()) != 1000 {
		t.Errorf("the ring does not load any more: %v", err)
	}
}

// Every key of a ring can be revoked, whatever its state, and the ring still loads.
func TestARingLoadsAfterEachRevocation(t *testing.T) {
	for _, f := range formattest.Usable() {
		for i, state := range []string{"retired", "active", "pre-published"} {
			src := keys.Source{Store: keystest.NewStore(), Plain: true}
			set, err := newSet(t, f).Rotate("", true)
			if err != nil {
				t.Fatal(err)
			}
			id := set.Keys()[i].ID
			if set, err = set.Revoke(id); err == nil {
				err = src.Create(t.Context(), set)
			}
			if err != nil {
				t.Fatalf("%s: %v", state, err)
			}
			loaded, err := src.Load(t.Context())
			if err != nil || loaded.Keys()[i].State != "revoked" {
				t.Errorf("%s: %v", state, err)
			}
		}
	}
}
