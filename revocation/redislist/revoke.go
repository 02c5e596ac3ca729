package redislist

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carnet-go/carnet/internal/markset"
	"github.com/carnet-go/carnet/revocation"
)

// Revoke puts the marks into this node's copy, at once, and into Redis. It returns
// nil when Redis has them, as safely as [Config.Replicas] asks; see the package
// comment for what that promises. [ErrNotConfirmed] means that Redis did not say
// so in time: this node refuses the sessions and goes on trying, the others may
// have them or not. Calling again is safe. [revocation.ErrFull] and the error of a
// bad mark mean that nothing was stored.
//
// A mark with a Reason or By carries a note, with its values in clear, for who
// lists the marks; the first note of a mark stays. Without them only hashes leave the
// process. The latest 10,000 notes are kept.
//
// A ctx that is done ends the waiting, not the revocation.
func (l *List) Revoke(ctx context.Context, marks ...revocation.Mark) error {
	if l.ctx.Err() != nil {
		return ErrClosed
	}
	all, err := l.prepared(marks)
	if err != nil {
		return err
	}
	if room := l.config.Max - l.set.Len(); len(all) > room && l.more(all) > room {
		return fmt.Errorf("redislist: %w", revocation.ErrFull)
	}
	var missing []item
	for _, i := range all {
		held := l.set.Add(i.Entry, false)
		noted := i.note != nil && l.notes.put(i.Entry, i.note)
		l.followers.tell(i.Entry)
		// With replicas it is not enough that the log has it: they must, too. What the
		// log has without a note goes there again with one.
		if !held || noted || l.config.Replicas > 0 {
			l.own.put(i.Entry)
			missing = append(missing, i)
		}
	}
	return l.confirm(ctx, missing)
}

// prepared returns what the log is to have of the marks.
func (l *List) prepared(marks []revocation.Mark) (all []item, err error) {
	now := time.Now()
	for _, m := range marks {
		if m, err = l.dated(m, now).Normalize(); err != nil {
			return nil, err
		}
		if !now.Before(m.Until) {
			continue
		}
		i := item{Entry: entry(m)}
		i.Entry = l.set.Lift(i.Entry)
		if m.Reason != "" || m.By != "" {
			i.note = &note{
				strings.Clone(m.Value), strings.Clone(m.Except), strings.Clone(m.Reason), strings.Clone(m.By),
			}
		}
		all = append(all, i)
	}
	return all, nil
}

// more returns how many of the marks are about something that no mark is about yet.
func (l *List) more(all []item) (n int) {
	for _, i := range all {
		if len(l.set.Of(i.Axis, i.ID)) == 0 {
			n++
		}
	}
	return n
}

func entry(m revocation.Mark) markset.Entry {
	axis, _ := markset.AxisOf(string(m.Axis))
	return markset.NewEntry(axis, m.Value, m.Except, m.At, m.Until)
}

// confirm writes what Redis lacks.
func (l *List) confirm(ctx context.Context, missing []item) error {
	if len(missing) == 0 {
		return nil
	}
	var err error
	if l.down.Load() {
		err = errDown // or each logout would wait for the whole timeout
	} else {
		_, err = l.write(ctx, l.revokes, missing)
	}
	if err != nil {
		l.own.fail(missing)
		l.kick()
		return fmt.Errorf("%w: %w", ErrNotConfirmed, err)
	}
	return nil
}

var errDown = errors.New("no answer from Redis")
