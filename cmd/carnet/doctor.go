package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/audit"
	"github.com/carnet-go/carnet/keys/keystore"
)

type doctorVerb struct {
	overdue time.Duration
	exports []string
	json    bool
	found   []diagnosis
}

// A diagnosis is one thing that was looked at.
type diagnosis struct {
	What    string `json:"what"`
	Problem string `json:"problem"` // empty if all is well
	ToDo    string `json:"to_do"`
}

func newDoctorCmd() *cobra.Command {
	v := new(doctorVerb)
	cmd := &cobra.Command{
		Use:   "doctor RING",
		Short: "Check a ring and its deployment, and say what to do",
		Long: `Check a ring and what surrounds it: who can use its files, whether it is sealed,
whether its rotation is overdue, the record, the verify-only files that are named and,
with a ring in Redis, the nodes that follow it, all clocks, and the settings of the
server.

The exit code is 0 if all is well and 1 if something is to be done.`,
		Example: "  carnet doctor ring.json --export verify.json\n  carnet doctor env:WEB --overdue 48h --json",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	cmd.Flags().DurationVar(&v.overdue, "overdue", 90*24*time.Hour, "how old the active key may be")
	cmd.Flags().StringSliceVar(&v.exports, "export", nil, "a verify-only file that was exported from the ring; can be repeated")
	cmd.Flags().BoolVar(&v.json, "json", false, "print a list of objects")
	return cmd
}

// say notes what was looked at. An empty problem is good news.
func (v *doctorVerb) say(what, problem, toDo string) {
	if problem == "" {
		toDo = ""
	}
	v.found = append(v.found, diagnosis{what, problem, toDo})
}

func (v *doctorVerb) run(cmd *cobra.Command, args []string) error {
	if v.overdue <= 0 {
		return usageError("--overdue must be longer than nothing")
	}
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	set, err := p.load(cmd.Context())
	if err != nil {
		return err
	}
	if p.Store == nil {
		v.file(p)
	}
	v.ring(p, set)
	for _, path := range v.exports {
		v.export(cmd.Context(), p, set, path)
	}
	if shared, ok := p.shared(); ok {
		v.clock(cmd.Context(), shared)
		v.nodes(cmd.Context(), p, set, shared)
		v.settings(cmd.Context(), shared)
	}
	return v.print(cmd)
}

// file looks at the file of the ring and its neighbours.
func (v *doctorVerb) file(p place) {
	v.say("the file", fixed(p.Path), "mount its directory, without a subPath") // it has been opened
	dir := filepath.Dir(p.Path)
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
		v.say("its directory", fmt.Sprintf("others can write to %s (mode %04o), and so replace the ring", dir, info.Mode().Perm()), "chmod go-w "+shell(dir))
	} else {
		v.say("its directory", "", "")
	}
	left, _ := filepath.Glob(p.Path + ".*.tmp")
	problem := ""
	if len(left) > 0 {
		problem = fmt.Sprintf("%d files are left of edits that did not end, and have keys in them", len(left))
	}
	v.say("crashed edits", problem, "the next edit removes them; or rm "+shell(p.Path)+".*.tmp, if no edit runs")
	doc, err := keystore.File(p.Path).Load(context.Background())
	problem = ""
	if err == nil && headOf(doc).Kind != sealedKind {
		problem = "the keys are in the clear: whoever reads the file or a backup of it can mint sessions"
	}
	v.say("secrets at rest", problem, "carnet rewrap "+p.shell()+" --key-file KEY")
}

// fixed says whether nothing new can ever arrive at a path.
func fixed(path string) string {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := keystore.File(path).Watch(ctx, func() {}); !errors.Is(err, context.Canceled) {
		return err.Error()
	}
	return ""
}

// ring looks at the keys.
func (v *doctorVerb) ring(p place, set *keys.Set) {
	key, problem := inState(set, "active"), ""
	age := time.Since(key.ActivatedAt)
	if age > v.overdue {
		problem = fmt.Sprintf("key %s mints since %s ago, and %s are allowed", key.ID, ago(age), ago(v.overdue))
	}
	v.say("rotation", problem, "carnet rotate "+p.shell()+"; by cron: carnet rotate "+p.shell()+" --if-older 24h")
	problem = ""
	if age < -time.Minute {
		problem = fmt.Sprintf("key %s began to mint %s in the future", key.ID, ago(-age))
	}
	v.say("clock of this machine", problem, "synchronize the clocks of the machines that edit the ring")
	problem = ""
	if n := len(set.Keys()); n > 900 {
		problem = fmt.Sprintf("it has %d keys, and at most 1000 fit", n)
	}
	v.say("number of keys", problem, "carnet prune "+p.shell())
	problem = ""
	if err := audit.Check(set.Record(), set.Generation()); err != nil {
		problem = err.Error()
	}
	v.say("record", problem, "carnet audit "+p.shell())
}

// export looks at a file that nodes which only verify may have.
func (v *doctorVerb) export(ctx context.Context, p place, set *keys.Set, path string) {
	problem, again := "", "carnet export "+p.shell()+" --out "+shell(path)
	toDo := again
	doc, err := keystore.File(path).Load(ctx)
	h := headOf(doc)
	ours, err2 := p.Export(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		problem = err.Error()
	case err != nil:
		problem, toDo = err.Error(), "see to that, then "+again
	case !h.isExport():
		problem, toDo = "it is no verify-only ring", "name another file, or remove it if it is of no use any more, then "+again
	case err2 == nil && h.Ring.Name != headOf(ours).Ring.Name:
		problem, toDo = "it is the export of another ring", "name another file, or remove it if it is of no use any more, then "+again
	case h.Ring.Generation > set.Generation():
		problem = fmt.Sprintf("it has generation %d, and the ring is only at %d", h.Ring.Generation, set.Generation())
		toDo = "the ring is an older one, as from a backup: find the newest"
	case h.Ring.Generation != set.Generation():
		problem = fmt.Sprintf("it has generation %d, and the ring is at %d", h.Ring.Generation, set.Generation())
	}
	v.say("export "+path, problem, toDo)
}

func (v *doctorVerb) print(cmd *cobra.Command) error {
	bad, rows := 0, []string(nil)
	for _, d := range v.found {
		if d.Problem == "" {
			rows = append(rows, "ok\t"+d.What)
			continue
		}
		bad++
		rows = append(rows, "PROBLEM\t"+d.What+": "+d.Problem, "\tto do: "+d.ToDo)
	}
	var err error
	if v.json {
		err = printJSON(cmd.OutOrStdout(), v.found)
	} else {
		err = printTable(cmd.OutOrStdout(), rows...)
	}
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d of %d things need attention", bad, len(v.found))
	}
	return err
}
