package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

// An event is a line of the story of a key.
type event struct {
	At   time.Time `json:"at"`
	Key  string    `json:"key"`
	What string    `json:"what"`
}

// timeline tells what became of the keys that are gone. One that had not begun to mint
// takes over for a moment when those before it go, which no node ever sees.
func timeline(before, after *keys.Set, gone []string) (story []event) {
	minted := func(k keys.Key) bool {
		return slices.ContainsFunc(before.Keys(), func(b keys.Key) bool { return b.ID == k.ID && !b.ActivatedAt.IsZero() })
	}
	for _, k := range after.Keys() {
		add := func(at time.Time, what string) {
			if !at.IsZero() {
				story = append(story, event{at, k.ID, what})
			}
		}
		if slices.Contains(gone, k.ID) {
			add(k.CreatedAt, "it was made: from here on somebody may have it, and nodes believed tokens of it")
			if minted(k) {
				add(k.ActivatedAt, "it began to mint")
			}
			add(k.RetiredAt, "it was retired and went on opening its tokens")
			add(k.RevokedAt, "it was taken back and its secrets erased")
			add(after.PrunableAt(k), "the last token that a node can have sealed with it would have died")
		} else if k.State == "active" {
			add(k.ActivatedAt, "it mints")
		}
	}
	slices.SortStableFunc(story, func(a, b event) int { return a.At.Compare(b.At) })
	return story
}

func (v *compromiseVerb) tell(cmd *cobra.Command, p place, before, after *keys.Set, gone []string) error {
	story := timeline(before, after, gone)
	if v.json {
		err := printJSON(cmd.OutOrStdout(), struct {
			result
			Timeline []event `json:"timeline"`
		}{result{p.name, v.dryRun, after.Generation(), v.changes(before, after), after.RotatableAt()}, story})
		return v.lost(err, p, before, after)
	}
	if err := v.print(cmd.OutOrStdout(), p, before, after); err != nil {
		return err
	}
	rows := []string{"", "WHEN\tKEY\tWHAT"}
	for _, e := range story {
		rows = append(rows, strings.Join([]string{stamp(e.At), e.Key, e.What}, "\t"))
	}
	return printTable(cmd.OutOrStdout(), rows...)
}
