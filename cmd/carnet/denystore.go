package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/revocation"
)

// A denied is what a program learns about it.
type denied struct {
	List   string    `json:"list"`
	DryRun bool      `json:"dry_run"`
	Axis   string    `json:"axis"`
	Denied int       `json:"denied"`
	Values []string  `json:"values,omitempty"` // those of the command line
	Before time.Time `json:"before,omitzero"`  // sessions that began before
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by"`
}

func (d *denial) deny(cmd *cobra.Command, marks []revocation.Mark) error {
	if err := d.check(); err != nil {
		return err
	}
	if err := d.store(cmd, marks); err != nil {
		return err
	}
	if d.dryRun {
		fmt.Fprintln(cmd.ErrOrStderr(), "dry run: nothing was changed")
	}
	if err := d.print(cmd, marks); err != nil && !d.dryRun {
		return advise(fmt.Errorf("it is denied, and that could not be printed: %w", err), "carnet denied %s", d.flags())
	} else if err != nil {
		return err
	}
	return nil
}

func (d *denial) store(cmd *cobra.Command, marks []revocation.Mark) (err error) {
	if d.dryRun && d.create {
		return nil // there is nothing to look at
	}
	open := func() (*denylist, error) { return d.open(cmd.Context(), d.create) }
	if d.dryRun {
		open = func() (*denylist, error) { return d.read(cmd.Context()) }
	}
	l, err := open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if d.dryRun {
		return nil
	}
	return inBatches(cmd, marks, l.Revoke)
}

func (d *denial) print(cmd *cobra.Command, marks []revocation.Mark) error {
	out := denied{List: d.String(), DryRun: d.dryRun, Axis: string(d.axis), Denied: len(marks)}
	if len(marks) > 0 {
		m := marks[0]
		out.Until, out.Reason, out.By = m.Until, m.Reason, m.By
		if d.axis != "session" && d.axis != "key" {
			out.Before = m.At
		}
	}
	if d.from == "" && d.axis != "everyone" {
		for _, m := range marks {
			out.Values = append(out.Values, m.Value)
		}
	}
	if d.json {
		return printJSON(cmd.OutOrStdout(), out)
	}
	verb := "denied"
	if d.dryRun {
		verb = "would deny"
	}
	for _, v := range out.Values {
		if err := printAll(cmd.OutOrStdout(), fmt.Appendf(nil, "%s %s %q until %s\n", verb, d.axis, v, stamp(out.Until))); err != nil {
			return err
		}
	}
	switch {
	case d.axis == "everyone":
		return printAll(cmd.OutOrStdout(), fmt.Appendf(nil, "%s everyone until %s\n", verb, stamp(out.Until)))
	case d.from != "":
		return printAll(cmd.OutOrStdout(), fmt.Appendf(nil, "%s %d marks of the axis %s\n", verb, out.Denied, d.axis))
	}
	return nil
}
