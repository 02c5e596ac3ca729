package main

import (
	"context"

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
	sealed := p.sealedUnder(ctx)
	after, now, err := v.rewrap(ctx, p, key)
	if err != nil {
		v.keep(cmd)
		return p.adviseConflict(err)
	}
	if !v.dryRun {
		v.tell(cmd)
	}
	if err := v.print(cmd.OutOrStdout(), p, before, after); err != nil {
		return err
	}
	v.advise(cmd, p, after, sealed, now)
	return nil
}

// rewrap returns the ring and the id of the key that it is sealed under now.
func (v *rewrapVerb) rewrap(ctx context.Context, p place, key *kek.Key) (*keys.Set, string, error) {
	if v.dryRun {
		stage, seen := p.rehearse()
		after, err := stage.Rewrap(ctx, key)
		return after, headOf(seen.saved).Ring.KeyID, err
	}
	after, err := p.Rewrap(ctx, key)
	return after, p.sealedUnder(ctx), err
}

// advise is told under which key the ring was sealed and is now; "" is none.
func (v *rewrapVerb) advise(cmd *cobra.Command, p place, after *keys.Set, was, now string) {
	switch {
	case was == now && now == "":
		note(cmd, "the ring was in the clear before, and is")
	case was == now:
		note(cmd, "that is the key it was sealed under before, %s: with several in CARNET_RING_KEY the first one seals", now)
	}
	if v.dryRun {
		v.announce(cmd, p, after)
		return
	}
	if was == now {
		return
	}
	v.handOut(cmd, p)
	switch {
	case now == "":
		next(cmd, "restart every node without a key: one that has a key refuses a ring in the clear, and goes on with the keys it has")
		return
	case was == "":
		next(cmd, "restart every node with the key: one that has none goes on with the keys it has")
	default:
		next(cmd, "once every node has generation %d, take the old key away from them", after.Generation())
	}
	next(cmd, "the verify-only key is another one now: carnet export --verify-only-key %s", p.shell())
}
