package keys

import (
	"context"
	"fmt"
	"time"

	"github.com/carnet-go/carnet/keys/keystore"
)

// Rotate is [Set.Rotate] as an edit. With a [keystore.Shared] store, and without
// force, it also returns [ErrTooSoon] while a node reports that it does not have the
// pre-published key, see [Source.Lagging], and if the clock of this machine is more
// than five minutes ahead of the store's.
func (s Source) Rotate(ctx context.Context, next Format, force bool) (*Set, error) {
	return s.Edit(ctx, func(set *Set) (*Set, error) {
		if force {
			return set.Rotate(next, true)
		}
		if err := s.refuseLag(ctx, set); err != nil {
			return nil, err
		}
		return set.Rotate(next, false)
	})
}

// refuseClock keeps a machine whose clock is ahead from doing too early what has its
// time. Who is late harms nobody.
func (s Source) refuseClock(ctx context.Context) error {
	shared, ok := s.store().(keystore.Shared)
	if !ok {
		return nil
	}
	now, err := shared.Now(ctx)
	if err != nil {
		return err
	}
	if ahead := time.Since(now); ahead > maxLeeway {
		return fmt.Errorf("%w: the clock of this machine is %v ahead of that of %s: set the wrong one right", ErrTooSoon, ahead.Truncate(time.Second), s.store())
	}
	return nil
}

func (s Source) refuseLag(ctx context.Context, set *Set) error {
	if err := s.refuseClock(ctx); err != nil {
		return err
	}
	lag, err := s.Lagging(ctx, set)
	if err == nil && len(lag) > 0 {
		err = fmt.Errorf("%w: %s", ErrTooSoon, describe(lag))
	}
	return err
}

// Lagging returns the nodes that would refuse the tokens of the next rotation: they
// reported last that they have a ring without the pre-published key of set. That
// includes nodes that fell silent since; an hour later they are forgotten. Nodes
// that get the ring as a file do not report, and any other store than a
// [keystore.Shared] knows of none.
func (s Source) Lagging(ctx context.Context, set *Set) (lag []keystore.Node, err error) {
	shared, ok := s.store().(keystore.Shared)
	if !ok {
		return nil, nil
	}
	nodes, err := shared.Nodes(ctx)
	for _, n := range nodes {
		if n.Generation < set.in(prePublished).Generation {
			lag = append(lag, n)
		}
	}
	return lag, err
}

func describe(lag []keystore.Node) string {
	n := lag[0]
	text := fmt.Sprintf("node %q has generation %d, which it reported %v ago", n.Name, n.Generation, n.Silent.Truncate(time.Second))
	if len(lag) > 1 {
		text += fmt.Sprintf("; and %d more lag", len(lag)-1)
	}
	return text
}
