package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

// An edit is how a verb changes a ring: in earnest or not, and told to whom.
type edit struct {
	dryRun bool
	json   bool
	copies bool // it makes no keys, so a dry run knows them all
}

func (e *edit) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&e.dryRun, "dry-run", false, "say what would happen and change nothing")
	cmd.Flags().BoolVar(&e.json, "json", false, "print the result as JSON")
}

// apply changes the ring, or finds out whether it could be.
func (e *edit) apply(cmd *cobra.Command, p place, change func(*keys.Set) (*keys.Set, error)) (before, after *keys.Set, err error) {
	ctx, stop := interruptible(cmd)
	defer stop()
	// An edit begins with a lock file, which is no business of a file that is no ring.
	if before, err = p.load(ctx); err != nil {
		return nil, nil, err
	}
	stage := p
	if e.dryRun {
		stage, _ = p.rehearse()
	}
	after, err = stage.Edit(ctx, func(s *keys.Set) (*keys.Set, error) {
		before = s
		return change(s)
	})
	return before, after, p.adviseConflict(err)
}

// A change is what an edit did to one key.
type change struct {
	Key    string      `json:"key"` // empty for a fresh key in a dry run: the real run makes another one
	Format keys.Format `json:"format"`
	Was    string      `json:"was"` // a state, or "absent"
	Is     string      `json:"is"`  // likewise
}

const absent = "absent"

// changes compares two sets; before is nil for a ring that is new.
func (e *edit) changes(before, after *keys.Set) []change {
	was, is := index(before), index(after)
	list := []change{}
	for _, k := range keysOf(before) {
		if now, ok := is[k.ID]; !ok {
			list = append(list, change{k.ID, k.Format, k.State, absent})
		} else if now.State != k.State {
			list = append(list, change{k.ID, k.Format, k.State, now.State})
		}
	}
	for _, k := range keysOf(after) {
		if _, ok := was[k.ID]; ok {
			continue
		}
		if e.dryRun && !e.copies {
			k.ID = ""
		}
		list = append(list, change{k.ID, k.Format, absent, k.State})
	}
	return list
}

func keysOf(s *keys.Set) []keys.Key {
	if s == nil {
		return nil
	}
	return s.Keys()
}

func index(s *keys.Set) map[string]keys.Key {
	m := map[string]keys.Key{}
	for _, k := range keysOf(s) {
		m[k.ID] = k
	}
	return m
}

// A result is what a program learns about an edit.
type result struct {
	Ring        string    `json:"ring"`
	DryRun      bool      `json:"dry_run"`
	Generation  uint64    `json:"generation"`
	Changes     []change  `json:"changes"`
	RotatableAt time.Time `json:"rotatable_at"`
}

// print tells the outcome of an edit.
func (e *edit) print(w io.Writer, p place, before, after *keys.Set) error {
	return e.lost(e.printChanges(w, p, before, after), p, before, after)
}

// lost says what was done if err kept it from being printed.
func (e *edit) lost(err error, p place, before, after *keys.Set) error {
	if err == nil || e.dryRun || before != nil && before.Generation() == after.Generation() {
		return err
	}
	return advise(fmt.Errorf("%s was changed and is at generation %d; that could not be printed: %w", p, after.Generation(), err),
		"do not run it again; see what was done: carnet list %s", p.shell())
}

func (e *edit) printChanges(w io.Writer, p place, before, after *keys.Set) error {
	r := result{p.name, e.dryRun, after.Generation(), e.changes(before, after), after.RotatableAt()}
	if e.json {
		return printJSON(w, r)
	}
	verb := "is"
	if e.dryRun {
		verb = "would be"
	}
	if err := printAll(w, fmt.Appendf(nil, "%s %s at generation %d:\n", p, verb, r.Generation)); err != nil {
		return err
	}
	rows := []string{"  KEY\tFORMAT\tWAS\tIS"}
	for _, c := range r.Changes {
		if c.Key == "" {
			c.Key = "(fresh)"
		}
		rows = append(rows, strings.Join([]string{"  " + c.Key, string(c.Format), c.Was, c.Is}, "\t"))
	}
	return printTable(w, rows...)
}

// announce tells a person how every node comes to know the edit, and what is due
// after it.
func (e *edit) announce(cmd *cobra.Command, p place, after *keys.Set) {
	if e.dryRun {
		fmt.Fprintln(cmd.ErrOrStderr(), "dry run: nothing was changed")
		return
	}
	e.handOut(cmd, p)
	next(cmd, "the next rotation is possible at %s: carnet rotate %s", stamp(after.RotatableAt()), p.shell())
	if k, ok := firstDue(after); ok {
		next(cmd, "key %s can be pruned at %s: carnet prune %s", k.ID, stamp(after.PrunableAt(k)), p.shell())
	}
}

// handOut says how every node gets the ring.
func (e *edit) handOut(cmd *cobra.Command, p place) {
	if _, ok := p.shared(); ok {
		next(cmd, "see which nodes follow it: carnet list %s", p.shell())
		return
	}
	next(cmd, "copy %s to the other nodes that mint", p)
	next(cmd, "copy the verify-only ring to all other nodes: carnet export %s --out verify.json", p.shell())
}
