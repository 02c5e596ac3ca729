package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

type pruneVerb struct {
	edit
	force bool
}

func newPruneCmd() *cobra.Command {
	v := new(pruneVerb)
	cmd := &cobra.Command{
		Use:   "prune RING [KID...]",
		Short: "Remove keys that no living token needs",
		Long: `Remove the retired and revoked keys of which no token can be alive: all that are
due or, with KID, just these.

KID is a key id or the beginning of one, at least 4 characters. Put -- before an
id that begins with a dash. --force removes a key before it is due; its sessions
have to log in again.`,
		Example:           "  carnet prune ring.json\n  carnet prune ring.json Xq3r --force",
		ValidArgsFunction: completeKeys,
		Args:              ringArgs(0, -1),
		RunE:              func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	cmd.SetFlagErrorFunc(adviseDash)
	cmd.Flags().BoolVar(&v.force, "force", false, "remove the named keys even if tokens of theirs may be alive")
	v.addFlags(cmd)
	return cmd
}

// errNothing keeps a ring without a key to prune at its generation.
var errNothing = errors.New("nothing to prune")

func (v *pruneVerb) run(cmd *cobra.Command, args []string) error {
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	prefixes := args[min(1, len(args)):]
	if v.force && len(prefixes) == 0 {
		return usageError("--force needs the ids of the keys to remove")
	}
	before, after, err := v.apply(cmd, p, func(s *keys.Set) (*keys.Set, error) {
		return v.prune(cmd, s, p, prefixes)
	})
	if errors.Is(err, errNothing) {
		return v.nothing(cmd, p, before)
	}
	if err != nil {
		return err
	}
	if err := v.print(cmd.OutOrStdout(), p, before, after); err != nil {
		return err
	}
	warnLoggedOut(cmd, before, after, v.dryRun)
	v.announce(cmd, p, after)
	return nil
}

func (v *pruneVerb) prune(cmd *cobra.Command, s *keys.Set, p place, prefixes []string) (*keys.Set, error) {
	var ids []string
	for _, prefix := range prefixes {
		id, err := findKey(s, p, prefix)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if !v.force {
		if err := refuseClock(cmd.Context(), p); err != nil {
			return nil, err
		}
	}
	pruned, err := s.Prune(v.force, ids...)
	if errors.Is(err, keys.ErrInUse) && !v.force {
		return nil, advise(err, "wait; --force removes a retired or revoked key earlier, and its sessions have to log in again")
	}
	if err == nil && len(pruned.Keys()) == len(s.Keys()) {
		return nil, errNothing
	}
	return pruned, err
}

// nothing says when there will be something.
func (v *pruneVerb) nothing(cmd *cobra.Command, p place, s *keys.Set) error {
	if v.json {
		if err := v.print(cmd.OutOrStdout(), p, s, s); err != nil {
			return err
		}
	} else if err := printAll(cmd.OutOrStdout(), fmt.Appendf(nil, "%s: nothing to prune\n", p)); err != nil {
		return err
	}
	if k, ok := firstDue(s); ok {
		next(cmd, "key %s can be pruned at %s", k.ID, stamp(s.PrunableAt(k)))
	} else {
		next(cmd, "no key is retired or revoked: there will be one after a rotation")
	}
	return nil
}

func firstDue(s *keys.Set) (first keys.Key, ok bool) {
	for _, k := range s.Keys() {
		at := s.PrunableAt(k)
		if !at.IsZero() && (!ok || at.Before(s.PrunableAt(first))) {
			first, ok = k, true
		}
	}
	return first, ok
}
