package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystore"
	"github.com/carnet-go/carnet/revocation"
)

type compromiseVerb struct {
	edit
	listPlace
	all bool
}

func newCompromiseCmd() *cobra.Command {
	v := new(compromiseVerb)
	cmd := &cobra.Command{
		Use:   "compromise RING KID...",
		Short: "Take a key back that others may have, and say what to check",
		Long: `Take keys back that others may have: another key mints, their secrets are erased,
and every token that they sealed is refused as soon as a node has the changed ring.
Prints what happened when, and says what to check. With --list the keys are denied
on a denylist too, so that it holds in milliseconds on nodes that get the ring as a
file.

If the ring itself may have leaked, or the key that it is sealed under, every key in
it did: use --all. Then a fresh key mints that no node has yet, and everybody logs in
again.

KID is a key id or the beginning of one, at least 4 characters. Put -- before an
id that begins with a dash.`,
		Example:           "  carnet compromise ring.json Xq3r\n  carnet compromise ring.json --all",
		Args:              ringArgs(0, -1),
		ValidArgsFunction: completeKeys,
		RunE:              func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	cmd.SetFlagErrorFunc(adviseDash)
	cmd.Flags().BoolVar(&v.all, "all", false, "every key of the ring")
	v.addOptionalFlags(cmd)
	cmd.Flags().Lookup("wait").Usage = "how long to wait for Redis and for the nodes"
	v.edit.addFlags(cmd)
	return cmd
}

func (v *compromiseVerb) run(cmd *cobra.Command, args []string) error {
	if v.all == (len(args) > 1) {
		return usageError("which key? Name its id, or say --all")
	}
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	if v.list == "" && cmd.Flags().Changed("list") {
		return usageError("the name of the denylist is empty")
	}
	if err := v.checkList(); err != nil {
		return err
	}
	started := time.Now()
	var gone []string
	before, after, err := v.apply(cmd, p, func(s *keys.Set) (_ *keys.Set, err error) {
		if gone, err = v.choose(s, p, args[min(1, len(args)):]); err != nil {
			return nil, err
		}
		return v.takeBack(s, p, gone)
	})
	if err != nil {
		return err
	}
	denied := v.deny(cmd, p, after, gone)
	told := v.tell(cmd, p, before, after, gone)
	warnLoggedOut(cmd, before, after, v.dryRun)
	warnTooFresh(cmd, before, after)
	if !v.dryRun {
		v.reached(cmd, p, after, started)
		v.advise(cmd, p, after, gone)
	}
	v.announce(cmd, p, after)
	return errors.Join(denied, told)
}

// checkList is before the edit: a slip must be known before.
func (v *compromiseVerb) checkList() error {
	if v.list == "" {
		return v.checkWait()
	}
	err := v.listPlace.check()
	if err == nil && v.redis() {
		var client redis.UniversalClient
		if client, err = v.client(); err == nil {
			client.Close()
		}
	}
	return err
}

// takeBack revokes keys. With a denylist one that is revoked already is no mistake:
// the list may have been down the first time.
func (v *compromiseVerb) takeBack(s *keys.Set, p place, gone []string) (*keys.Set, error) {
	is := index(s)
	for _, id := range gone {
		if v.list != "" && is[id].State == "revoked" {
			continue
		}
		var err error
		if s, err = revokeKey(s, p, id); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// deny is after the edit, which must not wait for a list that is down.
func (v *compromiseVerb) deny(cmd *cobra.Command, p place, after *keys.Set, gone []string) error {
	if v.list == "" {
		return nil
	}
	list, err := v.open(cmd.Context(), false)
	if err == nil {
		defer list.Close()
	}
	if v.dryRun {
		return err
	}
	if err == nil {
		err = list.Revoke(cmd.Context(), v.marks(after, gone)...)
	}
	if err != nil {
		return advise(fmt.Errorf("%s is changed, and the denylist is not: nodes believe %s until they have the ring: %w", p, strings.Join(gone, " and "), err),
			"see to the list, then run this, which leaves the ring as it is: carnet compromise %s --list %s -- %s", p.shell(), v.again(), strings.Join(gone, " "))
	}
	note(cmd, "the tokens of %s are refused by every node that shares %s", strings.Join(gone, " and "), v.listPlace.String())
	return nil
}

// again names the list for a command line.
func (v *compromiseVerb) again() string {
	if v.prefix == "" {
		return shell(v.listPlace.String())
	}
	return shell(v.listPlace.String()) + " --prefix " + shell(v.prefix)
}

func (v *compromiseVerb) marks(after *keys.Set, gone []string) (marks []revocation.Mark) {
	for _, k := range after.Keys() {
		if slices.Contains(gone, k.ID) {
			m := revocation.Key(k.ID, after.PrunableAt(k))
			m.Reason, m.By = "compromised", cmp.Or(os.Getenv("SUDO_USER"), userName())
			marks = append(marks, m)
		}
	}
	return marks
}

// choose returns the ids to revoke. The pre-published key comes last: until then it
// is what takes over.
func (v *compromiseVerb) choose(s *keys.Set, p place, prefixes []string) (ids []string, err error) {
	for _, k := range s.Keys() {
		if v.all && k.State != "revoked" {
			ids = append(ids, k.ID)
		}
	}
	for _, prefix := range prefixes {
		id, err := findKey(s, p, prefix)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("every key is revoked already")
	}
	return ids, nil
}

// reached waits for the nodes that report, and names those that go on without the
// change.
func (v *compromiseVerb) reached(cmd *cobra.Command, p place, after *keys.Set, started time.Time) {
	shared, ok := p.shared()
	if !ok {
		return
	}
	for end := time.Now().Add(v.wait); ; time.Sleep(200 * time.Millisecond) {
		nodes, err := shared.Nodes(cmd.Context())
		behind := slices.DeleteFunc(nodes, func(n keystore.Node) bool { return n.Generation >= after.Generation() })
		switch {
		case err == nil && len(behind) == 0:
			note(cmd, "every node that reports has generation %d, %v after the command began", after.Generation(), time.Since(started).Round(10*time.Millisecond))
			return
		case time.Now().Before(end) && cmd.Context().Err() == nil:
			continue
		case err != nil:
			warn(cmd, "the nodes could not be asked: %v", err)
			return
		}
		warn(cmd, "%s", strings.Replace(nameNodes(behind), "lack the key that is to mint", "believe the tokens of the key still, cut them off", 1))
		return
	}
}

// advise says what a person has to find out now.
func (v *compromiseVerb) advise(cmd *cobra.Command, p place, after *keys.Set, gone []string) {
	next(cmd, "until a node has generation %d it believes the tokens of %s", after.Generation(), strings.Join(gone, " and "))
	for _, k := range after.Keys() {
		if v.list == "" && slices.Contains(gone, k.ID) {
			next(cmd, "with a denylist it holds at once: say --list, or carnet deny key %s --list LIST", k.ID)
		}
	}
	next(cmd, "look in the logs of your services for sessions that nobody logged in to, since the key was made")
	next(cmd, "find out who could read the ring and its backups; who changed it says: carnet audit %s", p.shell())
	if !v.all {
		next(cmd, "if the ring itself may have leaked, the other keys did too: carnet compromise %s --all; then rewrap it under a new key", p.shell())
		return
	}
	next(cmd, "if the key that it is sealed under may have leaked: carnet rewrap %s --key-file NEW", p.shell())
	if _, ok := p.shared(); ok {
		next(cmd, "and then compromise it once more: who has the old key could read the fresh ones until the rewrap")
	}
}
