package audit_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/carnet-go/carnet/keys/audit"
)

func record(n int) []audit.Entry {
	var all []audit.Entry
	for i := range n {
		e := audit.Entry{Generation: uint64(i + 1), At: time.Date(2026, 11, 25, 8, i, 0, 0, time.UTC), By: "alice@build7", Action: "rotate", Keys: []string{"a", "b"}}
		if i == 0 {
			e.Action = "init"
		} else {
			e.Before = all[i-1].Digest()
		}
		all = append(all, e)
	}
	return all
}

func TestCheck(t *testing.T) {
	good := record(10)
	noted := good[6].Digest()
	if err := audit.Check(good, 10, noted, good[9].Digest()); err != nil {
		t.Error(err)
	}
	long := record(audit.Max + 8)
	if err := audit.Check(long[8:], audit.Max+8, long[8].Digest()); err != nil {
		t.Errorf("a long record, which lost its oldest entries: %v", err)
	}
	if err := audit.Check(long[8:], audit.Max+8, long[7].Digest()); !errors.Is(err, audit.ErrAbsent) {
		t.Errorf("a record that does not go back so far: %v", err)
	}
	for n, cut := range map[string][]audit.Entry{"too long": long, "too short": long[9:]} {
		if err := audit.Check(cut, audit.Max+8); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("%s: %v", n, err)
		}
	}
	for what, bad := range map[string][]audit.Entry{
		"nothing":              nil,
		"its beginning is cut": good[4:],
		"only its end":         good[9:],
		"nobody did it":        chain(good, func(all []audit.Entry) { all[5].By = "" }),
		"nothing was done":     chain(good, func(all []audit.Entry) { all[9].Action = "" }),
		"at no time":           chain(good, func(all []audit.Entry) { all[9].At = time.Time{} }),
		"no init":              chain(good, func(all []audit.Entry) { all[0].Action = "rotate" }),
		"a cut that is sewn":   chain(good[4:], func(all []audit.Entry) { all[0].Before = "" }),
		"renumbered":           chain(good[4:], func(all []audit.Entry) { renumber(all, 1) }),
		"its end is cut":       good[:9],
		"one left out":         slices.Delete(slices.Clone(good), 5, 6),
		"one twice":            slices.Insert(slices.Clone(good), 5, good[5]),
		"two exchanged":        swap(good, 4, 5),
		"another author":       change(good, func(e *audit.Entry) { e.By = "bob@build7" }),
		"another time":         change(good, func(e *audit.Entry) { e.At = e.At.Add(time.Second) }),
		"another action":       change(good, func(e *audit.Entry) { e.Action = "prune" }),
		"other keys":           change(good, func(e *audit.Entry) { e.Keys = e.Keys[:1] }),
		"a beginning that was": good[1:1:1],
	} {
		if err := audit.Check(bad, 10); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	forged := record(10)
	forged[0].By = "mallory"
	for i := range forged[1:] {
		forged[i+1].Before = forged[i].Digest()
	}
	if err := audit.Check(forged, 10, noted); !errors.Is(err, audit.ErrAbsent) {
		t.Errorf("a record that was made anew: %v", err)
	}
}

func swap(all []audit.Entry, i, j int) []audit.Entry {
	all = slices.Clone(all)
	all[i], all[j] = all[j], all[i]
	return all
}

func change(all []audit.Entry, f func(*audit.Entry)) []audit.Entry {
	all = slices.Clone(all)
	f(&all[5])
	return all
}

// chain changes a record and makes the digests right again.
func chain(all []audit.Entry, f func([]audit.Entry)) []audit.Entry {
	all = slices.Clone(all)
	f(all)
	for i := range all[1:] {
		all[i+1].Before = all[i].Digest()
	}
	return all
}

func renumber(all []audit.Entry, first uint64) {
	for i := range all {
		all[i].Generation = first + uint64(i)
	}
}
