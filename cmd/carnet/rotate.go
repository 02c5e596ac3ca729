package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

type rotateVerb struct {
	edit
	format formatFlag
	force  bool
}

func newRotateCmd() *cobra.Command {
	v := new(rotateVerb)
	cmd := &cobra.Command{
		Use:   "rotate RING",
		Short: "Let the next key mint",
		Long: `Make the pre-published key active, retire the active one, and pre-publish a
fresh key. Sessions go on: a retired key still reads its tokens.

A rotation is refused while some node may not have the pre-published key yet.
--format says what the tokens of the fresh key look like; they are minted after
the next rotation.`,
		Example: "  carnet rotate ring.json\n  carnet rotate ring.json --format paseto --dry-run",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	cmd.Flags().BoolVar(&v.force, "force", false, "do not wait: nodes without the key refuse new tokens until they have it")
	addFormatFlag(cmd, &v.format, "format of the fresh key (default: as the key before it)")
	v.addFlags(cmd)
	return cmd
}

func (v *rotateVerb) run(cmd *cobra.Command, args []string) error {
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	before, after, err := v.apply(cmd, p, func(s *keys.Set) (*keys.Set, error) {
		return s.Rotate(keys.Format(v.format), v.force)
	})
	if errors.Is(err, keys.ErrTooSoon) {
		return advise(err, "wait until %s; or rotate with --force: then a node that lacks the key refuses new tokens until it has it",
			stamp(before.RotatableAt()))
	}
	if err != nil {
		return err
	}
	if err := v.print(cmd.OutOrStdout(), p, before, after); err != nil {
		return err
	}
	v.announce(cmd, p, after)
	return nil
}
