package main

import (
	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/keys/keystore"
)

type rewrapVerb struct {
	edit
	sealing
}

func newRewrapCmd() *cobra.Command {
	v := new(rewrapVerb)
	cmd := &cobra.Command{
		Use:   "rewrap RING",
		Short: "Seal a ring under another key",
		Long: `Seal a ring under another key-encryption key: that of --key-file, the first one of
CARNET_RING_KEY, or a passphrase that is asked for. It is opened with what the
environment names. A ring in the clear is sealed so, too.

Give every node both keys first, for example by CARNET_RING_KEY="NEW OLD". A node
that has only the old one goes on with the keys it has, and reports it. The
verify-only key changes as well.

If the old key leaked, so did the keys in the ring: see carnet compromise.`,
		Example: "  carnet rewrap ring.json --key-file new.key\n  CARNET_RING_KEY=\"$NEW $OLD\" carnet rewrap ring.json",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	v.sealing.addFlags(cmd)
	v.edit.addFlags(cmd)
	return cmd
}

func (v *rewrapVerb) run(cmd *cobra.Command, args []string) error {
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(cmd)
	defer stop()
	if p.Store == nil {
		// The key that the environment names may be the one to seal it under.
		doc, err := keystore.File(p.Path).Load(ctx)
		p.Plain = err == nil && headOf(doc).Kind == "carnet ring"
	}
	before, err := p.load(ctx)
	if err != nil {
		return err
	}
	key, err := v.key(cmd, v.dryRun)
	if err != nil {
		return err
	}
	after, err := v.rewrap(cmd, p, before, key)
	if err != nil {
		return p.adviseConflict(err)
	}
	if err := v.print(cmd.OutOrStdout(), p, before, after); err != nil {
		return err
	}
	if v.dryRun {
		v.announce(cmd, p, after)
		return nil
	}
	v.tell(cmd)
	next(cmd, "once every node has generation %d, take the old key away from them", after.Generation())
	if key != nil {
		next(cmd, "the verify-only key is another one now: carnet export --verify-only-key %s", p.shell())
	}
	return nil
}

func (v *rewrapVerb) rewrap(cmd *cobra.Command, p place, before *keys.Set, key *kek.Key) (*keys.Set, error) {
	if v.dryRun {
		return before, replaceable(p.Path)
	}
	ctx, stop := interruptible(cmd)
	defer stop()
	return p.Rewrap(ctx, key)
}
