package redislist

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carnet-go/carnet/internal/markset"
	"github.com/carnet-go/carnet/revocation"
)

// An Entry is a mark as the copy has it. Value, Except, Reason and By are known
// only for the latest marks that came with a Reason or By.
type Entry struct {
	revocation.Mark
	ID string // stands for axis and value, as [ID] gives it
}

// ID returns what stands for an axis and a value in the log: 24 hexadecimal digits.
func ID(a revocation.Axis, value string) string {
	axis, _ := markset.AxisOf(string(a))
	return id(markset.IDOf(axis, value))
}

func id(i markset.ID) string { return hex.EncodeToString(i[:]) }

// Marks returns the marks in force that the copy has, in no order.
func (l *List) Marks() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range l.set.All() {
			if !yield(l.entry(e)) {
				return
			}
		}
	}
}

func (l *List) entry(e markset.Entry) Entry { return Entry{l.mark(e, ""), id(e.ID)} }

// mark returns what is known of an entry.
func (l *List) mark(e markset.Entry, value string) revocation.Mark {
	m := revocation.Mark{Axis: revocation.Axis(e.Axis.String()), Value: value, Until: time.Unix(e.Until, 0).UTC()}
	if e.At != 0 {
		m.At = time.UnixMicro(e.At).UTC()
	}
	if n := l.notes.get(e); n != nil {
		m.Value, m.Except, m.Reason, m.By = n.value, n.except, n.reason, n.by
	}
	return m
}

// followers want to hear of marks as they come in.
type followers struct {
	some atomic.Bool
	mu   sync.Mutex
	all  map[chan markset.Entry]bool
}

func (f *followers) tell(e markset.Entry) {
	if !f.some.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.all {
		select {
		case c <- e:
		default: // somebody who can't follow must not hold up the list
		}
	}
}

// Follow calls f with each mark that comes in, from this node or another, until ctx
// is done; it may call it twice with one. Marks are left out if f takes longer than
// they come.
func (l *List) Follow(ctx context.Context, f func(Entry)) {
	c := make(chan markset.Entry, 4096)
	l.followers.mu.Lock()
	if l.followers.all == nil {
		l.followers.all = make(map[chan markset.Entry]bool)
	}
	l.followers.all[c] = true
	l.followers.some.Store(true)
	l.followers.mu.Unlock()
	defer func() {
		l.followers.mu.Lock()
		defer l.followers.mu.Unlock()
		delete(l.followers.all, c)
		l.followers.some.Store(len(l.followers.all) > 0)
	}()
	for {
		select {
		case e := <-c:
			f(l.entry(e))
		case <-ctx.Done():
			return
		case <-l.ctx.Done():
			return
		}
	}
}

// Allow takes back what was revoked of these axes and values, on every node: the
// undo of a mistake. Only axis and value of the marks count. A node that does not
// hear of it until Redis has lost it goes on refusing: allow again. A mark that
// another node sets within the same moments may be undone with them.
//
// Errors are as those of [List.Revoke], but what was not confirmed is not sent
// again.
func (l *List) Allow(ctx context.Context, marks ...revocation.Mark) error {
	if l.ctx.Err() != nil {
		return ErrClosed
	}
	var all []item
	for _, m := range marks {
		axis, ok := markset.AxisOf(string(m.Axis))
		if !ok {
			return fmt.Errorf("redislist: a mark can't have the axis %.20q", m.Axis)
		}
		e := markset.Entry{Axis: axis, ID: markset.IDOf(axis, m.Value)}
		found := l.set.Of(axis, e.ID)
		for _, o := range found {
			e.Until, e.At = max(e.Until, o.Until), max(e.At, o.At)
		}
		if len(found) > 0 {
			l.set.Undo(e)
			all = append(all, item{Entry: e, undo: true})
		}
	}
	return l.confirm(ctx, all)
}
