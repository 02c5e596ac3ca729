package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
)

type allowVerb struct {
	listPlace
	axis   revocation.Axis
	from   string
	dryRun bool
	json   bool
}

func newAllowCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "allow session|subject|tenant|key|everyone [NAME...] --list LIST",
		Short: "Undo a denial that was a mistake",
		Long: `Drop the marks of a session, subject, tenant or key, or those of everyone.

Whatever they took back is good again, also what was taken back for another reason:
marks that cover the same are kept as one. Use --dry-run to see them first. Marks of
another kind stay: a subject that is allowed again has no use of a session that is
denied.`,
		Example: "  carnet allow subject alice --list redis://localhost:6379/0 --dry-run",
		RunE: func(*cobra.Command, []string) error {
			return usageError("allow what? A session, subject, tenant, key or everyone")
		},
	}
	for _, v := range []struct {
		axis      revocation.Axis
		name, arg string
	}{{"session", "session", "ID..."}, {"subject", "subject", "NAME..."}, {"audience", "tenant", "NAME..."}, {"key", "key", "KID..."}, {"everyone", "everyone", ""}} {
		cmd.AddCommand(newAllowAxisCmd(v.axis, v.name, v.arg))
	}
	return cmd
}

func newAllowAxisCmd(axis revocation.Axis, name, arg string) *cobra.Command {
	v := &allowVerb{axis: axis}
	cmd := &cobra.Command{
		Use:   spaced(name, arg) + " --list LIST",
		Short: "Drop the marks of " + map[bool]string{true: "everyone", false: "a " + name}[axis == "everyone"],
		Args: func(_ *cobra.Command, args []string) error {
			return (&denial{axis: axis, from: v.from}).args(nil, args)
		},
	}
	cmd.RunE = failing(v.run)
	v.addFlags(cmd)
	f := cmd.Flags()
	if axis != "everyone" {
		f.StringVar(&v.from, "from", "", "read names from a `FILE`, one a line; - is standard input")
	}
	f.BoolVar(&v.dryRun, "dry-run", false, "say what would happen and change nothing")
	f.BoolVar(&v.json, "json", false, "print the marks that are dropped, one object a line")
	return cmd
}

func (v *allowVerb) run(cmd *cobra.Command, args []string) error {
	if err := v.check(); err != nil {
		return err
	}
	values := args
	if v.axis == "everyone" {
		values = []string{""}
	}
	if v.from != "" {
		var err error
		if values, err = readValues(cmd, v.from); err != nil {
			return err
		}
	}
	return v.allow(cmd, values)
}

func (v *allowVerb) allow(cmd *cobra.Command, values []string) (err error) {
	open := func(ctx context.Context) (*denylist, error) { return v.open(ctx, false) }
	if v.dryRun {
		open = v.read
	}
	l, err := open(cmd.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	found, missing := v.find(l, values)
	if len(found) == 0 {
		return advise(fmt.Errorf("nothing of that is denied in %s", v), "see what is: carnet denied %s", v.flags())
	}
	if missing > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d are not denied\n", missing, len(values))
	}
	if v.dryRun {
		fmt.Fprintln(cmd.ErrOrStderr(), "dry run: nothing was changed")
	} else if err := inBatches(cmd, distinct(v.axis, found), l.allow); err != nil {
		return err
	}
	return v.print(cmd, found)
}

// find returns the marks of the values, each with its value, and how many values
// have none.
func (v *allowVerb) find(l *denylist, values []string) (found []redislist.Entry, missing int) {
	names := map[string]string{} // by id
	for _, value := range values {
		names[redislist.ID(v.axis, value)] = value
	}
	has := map[string]bool{}
	for e := range l.marks() {
		if name, ok := names[e.ID]; ok && e.Axis == v.axis {
			e.Value, has[e.ID] = name, true
			found = append(found, e)
		}
	}
	return found, len(names) - len(has)
}

func distinct(axis revocation.Axis, found []redislist.Entry) (marks []revocation.Mark) {
	had := map[string]bool{}
	for _, e := range found {
		if !had[e.ID] {
			had[e.ID] = true
			marks = append(marks, revocation.Mark{Axis: axis, Value: e.Value})
		}
	}
	return marks
}

func (v *allowVerb) print(cmd *cobra.Command, found []redislist.Entry) error {
	verb := "allowed again"
	if v.dryRun {
		verb = "would allow again"
	}
	for _, e := range found {
		out := newListed(e)
		if v.json {
			if err := printJSONLine(cmd.OutOrStdout(), out); err != nil {
				return err
			}
		} else if err := printAll(cmd.OutOrStdout(), fmt.Appendf(nil, "%s: %s %s, denied until %s\n", verb, out.Axis, out.text(), stamp(out.Until))); err != nil {
			return err
		}
	}
	return nil
}
