package main

import (
	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

type copyVerb struct {
	edit
	sealing
	fromPlain bool
}

func newCopyCmd() *cobra.Command {
	v := new(copyVerb)
	cmd := &cobra.Command{
		Use:   "copy RING TO",
		Short: "Move a ring to another store",
		Long: `Copy a ring to another place, for example from a file into Redis, where there must
be none yet. It is the same ring at the same generation: nodes can be restarted
with the new place one after the other, and no session ends.

The copy is sealed as init would seal it. Once a ring is in two places, change it
in the new one only: running nodes refuse a ring that was changed in both.`,
		Example: "  carnet copy ring.json 'redis://localhost:6379/0?prefix=web' --key-file key",
		Args:    cobra.ExactArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd, args[0], args[1]) },
	}
	v.sealing.addFlags(cmd)
	cmd.Flags().BoolVar(&v.fromPlain, "from-insecure-plain", false, "the ring is in the clear, though there is a key")
	v.edit.addFlags(cmd)
	return cmd
}

func (v *copyVerb) run(cmd *cobra.Command, from, to string) error {
	source, err := placeOf([]string{from})
	if err != nil {
		return err
	}
	target, err := locate(to)
	if err != nil {
		return err
	}
	source.Plain = v.fromPlain
	set, err := source.load(cmd.Context())
	if err != nil {
		return err
	}
	if target.Key, err = v.key(cmd, v.dryRun); err != nil {
		return err
	}
	target.Plain = v.plain
	if err := v.create(cmd, target, set); err != nil {
		return err
	}
	if err := v.print(cmd.OutOrStdout(), target, nil, set); err != nil {
		return err
	}
	if v.dryRun {
		v.announce(cmd, target, set)
		return nil
	}
	v.tell(cmd)
	next(cmd, "restart each node with %s; from now on change the ring only there", target)
	next(cmd, "remove %s once no node follows it: whoever can read it has the keys", source)
	return nil
}

func (v *copyVerb) create(cmd *cobra.Command, p place, set *keys.Set) error {
	return (&initVerb{edit: v.edit}).create(cmd, p, set)
}
