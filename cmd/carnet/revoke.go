package main

import (
	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

func newRevokeCmd() *cobra.Command {
	e := new(edit)
	cmd := &cobra.Command{
		Use:   "revoke RING KID",
		Short: "Take a key back, and every session it sealed",
		Long: `Take a key back. Its secrets are erased; every token that it sealed is refused
as soon as a node has the changed ring, and its sessions have to log in again. If
the key was active the pre-published one takes over at once.

KID is a key id or the beginning of one, at least 4 characters. Put -- before an
id that begins with a dash.`,
		Example:           "  carnet revoke ring.json Xq3r\n  carnet revoke ring.json -- -Xq3",
		Args:              ringArgs(1, 1),
		ValidArgsFunction: completeKeys,
		RunE:              func(cmd *cobra.Command, args []string) error { return revoke(cmd, e, args[0], args[1]) },
	}
	cmd.SetFlagErrorFunc(adviseDash)
	e.addFlags(cmd)
	return cmd
}

func revoke(cmd *cobra.Command, e *edit, path, prefix string) error {
	before, after, err := e.apply(path, func(s *keys.Set) (*keys.Set, error) {
		id, err := findKey(s, path, prefix)
		if err != nil {
			return nil, err
		}
		return s.Revoke(id)
	})
	if err != nil {
		return err
	}
	if err := e.print(cmd.OutOrStdout(), path, before, after); err != nil {
		return err
	}
	if !e.dryRun {
		next(cmd, "hurry: until a node has the changed ring it believes the tokens of the key")
	}
	e.announce(cmd, path, after)
	return nil
}
