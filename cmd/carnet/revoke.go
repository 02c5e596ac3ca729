package main

import (
	"fmt"
	"strings"
	"time"

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
		RunE:              func(cmd *cobra.Command, args []string) error { return revoke(cmd, e, args) },
	}
	cmd.SetFlagErrorFunc(adviseDash)
	e.addFlags(cmd)
	return cmd
}

func revoke(cmd *cobra.Command, e *edit, args []string) error {
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	before, after, err := e.apply(cmd, p, func(s *keys.Set) (*keys.Set, error) {
		id, err := findKey(s, p, args[1])
		if err != nil {
			return nil, err
		}
		return revokeKey(s, p, id)
	})
	if err != nil {
		return err
	}
	if err := e.print(cmd.OutOrStdout(), p, before, after); err != nil {
		return err
	}
	warnLoggedOut(cmd, before, after, e.dryRun)
	warnTooFresh(cmd, before, after)
	if !e.dryRun {
		next(cmd, "hurry: until a node has the changed ring it believes the tokens of the key")
	}
	e.announce(cmd, p, after)
	return nil
}

// revokeKey says of a key that is revoked what is left to do.
func revokeKey(s *keys.Set, p place, id string) (*keys.Set, error) {
	after, err := s.Revoke(id)
	if err != nil && index(s)[id].State == "revoked" {
		return nil, advise(err, "it is dead wherever this ring has arrived: hand it out, and see carnet list %s", p.shell())
	}
	return after, err
}

// warnTooFresh warns of a key that mints before every node can have it.
func warnTooFresh(cmd *cobra.Command, before, after *keys.Set) {
	old, now := inState(before, "active"), inState(after, "active")
	if ready := before.RotatableAt(); old.ID != now.ID && time.Now().Before(ready) {
		warn(cmd, "key %s, which takes over, was made at %s: a node that lacks it refuses new tokens until it has this ring",
			now.ID, stamp(now.CreatedAt))
	}
}

// inState returns the key in a state of which there is one.
func inState(s *keys.Set, state string) keys.Key {
	for _, k := range s.Keys() {
		if k.State == state {
			return k
		}
	}
	return keys.Key{}
}

// warnLoggedOut says whose sessions an edit ends.
func warnLoggedOut(cmd *cobra.Command, before, after *keys.Set, dryRun bool) {
	is, alive, lost := index(after), 0, []string(nil)
	for _, k := range before.Keys() {
		prunable := before.PrunableAt(k)
		if k.State != "active" && (k.State != "retired" || !time.Now().Before(prunable)) {
			continue
		}
		alive++
		if now, ok := is[k.ID]; !ok || now.State == "revoked" {
			lost = append(lost, fmt.Sprintf("key %s, which minted from %s to %s", k.ID, stamp(k.ActivatedAt), until(k)))
		}
	}
	if len(lost) == 0 {
		return
	}
	verb := "have to log in again"
	if dryRun {
		verb = "would have to log in again"
	}
	warn(cmd, "the sessions of %d of the %d keys that living tokens are sealed with %s, unless their token was renewed since: %s",
		len(lost), alive, verb, strings.Join(lost, "; "))
}

func until(k keys.Key) string {
	if k.RetiredAt.IsZero() {
		return "now"
	}
	return stamp(k.RetiredAt)
}
