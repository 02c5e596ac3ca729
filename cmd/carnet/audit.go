package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys/audit"
)

type auditVerb struct {
	noted []string
	json  bool
}

func newAuditCmd() *cobra.Command {
	v := new(auditVerb)
	cmd := &cobra.Command{
		Use:   "audit RING",
		Short: "Show who did what to a ring, and check that nothing was taken out",
		Long: `Show who did what to a ring, oldest first, and check the record: each entry has the
digest of the one before. Nodes and stores are not asked.

Who can write the whole ring can write a new record as well. Note the last digest
somewhere else from time to time; --noted looks for it.`,
		Example: "  carnet audit ring.json\n  carnet audit ring.json --noted vQ5hDFtpP5Yv5Wmu9aQ0Ik4rN1ZtUOqWwN5mSxNm1vE",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	cmd.Flags().StringSliceVar(&v.noted, "noted", nil, "digest of an entry that must be there; can be repeated")
	cmd.Flags().BoolVar(&v.json, "json", false, "print an object")
	return cmd
}

func (v *auditVerb) run(cmd *cobra.Command, args []string) error {
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	set, err := p.load(cmd.Context())
	if err != nil {
		return err
	}
	record := set.Record()
	if err := v.print(cmd, record); err != nil {
		return err
	}
	if err := audit.Check(record, set.Generation(), v.noted...); err != nil {
		return advise(fmt.Errorf("check the record of %s: %w", p, err), "compare it with a backup; find out who can write the ring")
	}
	if !v.json {
		next(cmd, "note the last digest somewhere else: carnet audit %s --noted %s finds out later whether it is still there",
			p.shell(), record[len(record)-1].Digest())
	}
	return nil
}

func (v *auditVerb) print(cmd *cobra.Command, record []audit.Entry) error {
	if v.json {
		return printJSON(cmd.OutOrStdout(), struct {
			Record []audit.Entry `json:"record"`
			Last   string        `json:"last"` // digest of the last entry
		}{record, lastDigest(record)})
	}
	rows := []string{"GENERATION\tAT\tBY\tACTION\tKEYS\tDIGEST"}
	for _, e := range record {
		rows = append(rows, strings.Join([]string{strconv.FormatUint(e.Generation, 10), stamp(e.At), visible(e.By),
			visible(e.Action), visible(strings.Join(e.Keys, " ")), e.Digest()}, "\t"))
	}
	return printTable(cmd.OutOrStdout(), rows...)
}

func lastDigest(record []audit.Entry) string {
	if len(record) == 0 {
		return ""
	}
	return record[len(record)-1].Digest()
}
