package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystore"
)

type rotateVerb struct {
	edit
	format  formatFlag
	force   bool
	wait    bool
	ifOlder time.Duration
}

func newRotateCmd() *cobra.Command {
	v := new(rotateVerb)
	cmd := &cobra.Command{
		Use:   "rotate RING",
		Short: "Let the next key mint",
		Long: `Make the pre-published key active, retire the active one, and pre-publish a
fresh key. Sessions go on: a retired key still reads its tokens.

A rotation is refused while some node may not have the pre-published key yet: until
the spread of the ring has passed since it was made and, with a ring in Redis, until
every node reports that it has it. --wait waits for both.

With --if-older it can run from cron, on any number of machines: one wins.

--format says what the tokens of the fresh key look like; they are minted after
the next rotation.`,
		Example: "  carnet rotate ring.json\n  carnet rotate ring.json --if-older 24h\n  carnet rotate ring.json --format paseto --dry-run",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	cmd.Flags().BoolVar(&v.force, "force", false, "do not wait: nodes without the key refuse new tokens until they have it")
	cmd.Flags().BoolVar(&v.wait, "wait", false, "wait until every node has the key, and say what for")
	cmd.Flags().DurationVar(&v.ifOlder, "if-older", 0, "do nothing unless the active key is older than this")
	cmd.MarkFlagsMutuallyExclusive("wait", "force")
	addFormatFlag(cmd, &v.format, "format of the fresh key (default: as the key before it)")
	v.addFlags(cmd)
	return cmd
}

func (v *rotateVerb) run(cmd *cobra.Command, args []string) error {
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	if v.ifOlder < 0 {
		return usageError("--if-older must not be negative")
	}
	before, err := p.load(cmd.Context())
	if err != nil {
		return err
	}
	if age := time.Since(inState(before, "active").ActivatedAt); age < v.ifOlder {
		return v.young(cmd, p, before, age)
	}
	if v.wait && v.dryRun {
		v.skipWaiting(cmd, p, before)
	} else if v.wait {
		if err := await(cmd, p, before); err != nil {
			return err
		}
	}
	before, after, err := v.rotate(cmd, p, before.Generation())
	f := new(failure)
	switch {
	case errors.Is(err, keys.ErrTooSoon) && !errors.As(err, &f): // else it has its advice
		return advise(err, "%s", v.whatToDo(cmd, p, before))
	case errors.Is(err, keystore.ErrConflict) && v.ifOlder > 0:
		note(cmd, "somebody else changed the ring a moment ago: nothing to do")
		return nil
	case err != nil:
		return err
	}
	if err := v.print(cmd.OutOrStdout(), p, before, after); err != nil {
		return err
	}
	v.announce(cmd, p, after)
	return nil
}

// rotate rotates the generation that was looked at and no other.
func (v *rotateVerb) rotate(cmd *cobra.Command, p place, seen uint64) (before, after *keys.Set, err error) {
	return v.apply(cmd, p, func(s *keys.Set) (*keys.Set, error) {
		if s.Generation() != seen {
			return nil, keystore.ErrConflict
		}
		if v.force {
			return s.Rotate(keys.Format(v.format), true)
		}
		if err := lagging(cmd.Context(), p, s); err != nil {
			return nil, err
		}
		return s.Rotate(keys.Format(v.format), false)
	})
}

// maxAhead is the most that a verifier may forgive a clock.
const maxAhead = 5 * time.Minute

// refuseClock wraps keys.ErrTooSoon if this machine would do what is not due yet.
func refuseClock(ctx context.Context, p place) error {
	shared, ok := p.shared()
	if !ok {
		return nil
	}
	now, err := shared.Now(ctx)
	if err != nil {
		return err
	}
	if ahead := time.Since(now); ahead > maxAhead {
		return advise(fmt.Errorf("%w: the clock of this machine is %s ahead of that of Redis: set the wrong one right", keys.ErrTooSoon, ago(ahead)),
			"see which one is wrong, against those of the nodes: carnet list %s", p.shell())
	}
	return nil
}

// lagging wraps keys.ErrTooSoon if nodes report that they lack the next key.
func lagging(ctx context.Context, p place, s *keys.Set) error {
	if err := refuseClock(ctx, p); err != nil {
		return err
	}
	lag, err := p.Lagging(ctx, s)
	if err != nil || len(lag) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", keys.ErrTooSoon, nameNodes(lag))
}

func nameNodes(nodes []keystore.Node) string {
	var names []string
	for _, n := range nodes {
		names = append(names, fmt.Sprintf("%s (generation %d, heard of %s ago)", visible(n.Name), n.Generation, ago(n.Silent)))
	}
	return "these nodes lack the key that is to mint: " + strings.Join(names, ", ")
}

func (v *rotateVerb) young(cmd *cobra.Command, p place, s *keys.Set, age time.Duration) error {
	if v.json {
		if err := v.print(cmd.OutOrStdout(), p, s, s); err != nil {
			return err
		}
	}
	note(cmd, "the active key of %s is %s old: nothing to do", p, ago(age))
	return nil
}

func (v *rotateVerb) whatToDo(cmd *cobra.Command, p place, before *keys.Set) string {
	force := "--force: then a node that lacks the key refuses new tokens until it has it"
	if time.Now().Before(before.RotatableAt()) {
		return fmt.Sprintf("wait until %s, or let --wait do it; or rotate with %s", stamp(before.RotatableAt()), force)
	}
	return "see what keeps the nodes, carnet list " + p.shell() + ", or let --wait wait for them; or rotate with " + force
}

// skipWaiting has a dry run show what would be done after the waiting.
func (v *rotateVerb) skipWaiting(cmd *cobra.Command, p place, s *keys.Set) {
	if reason := waitsFor(cmd.Context(), p, s); reason != "" {
		note(cmd, "would wait first: %s", reason)
		v.force = true
	}
}

// waitsFor says for what a rotation of the ring has to wait, or "".
func waitsFor(ctx context.Context, p place, s *keys.Set) string {
	if time.Now().Before(s.RotatableAt()) {
		return "until " + stamp(s.RotatableAt())
	}
	if err := lagging(ctx, p, s); err != nil {
		return err.Error()
	}
	return ""
}

// await waits until the ring can be rotated, and says what for.
func await(cmd *cobra.Command, p place, s *keys.Set) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	for last := ""; ; {
		reason := waitsFor(ctx, p, s)
		if reason == "" {
			return nil
		}
		if reason != last {
			note(cmd, "waiting: %s", reason)
			last = reason
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the nodes: %w", context.Cause(ctx))
		case <-time.After(time.Second):
		}
	}
}
