package revocation

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carnet-go/carnet/token"
)

// ErrFull is what [Memory.Revoke] returns when there is no room. It says nothing
// about any token.
var ErrFull = errors.New("revocation: the list is full")

const (
	defaultMax = 1_000_000

	// sweepRate is how many expired marks make way for a new one. More than one,
	// so that a list shrinks; few, so that no caller waits for a million.
	sweepRate = 16
)

// A Memory is a [List] in the memory of this process. A Check takes a fraction
// of a microsecond and no allocation unless the session was revoked. The zero
// Memory is empty and ready. It is safe for concurrent use.
//
// A restart forgets every mark: sessions that were taken back are good again
// until they end. Other processes know nothing of the marks.
//
// More than eight marks of one subject, audience or everyone, of which the later
// ones are to be forgotten earlier, are kept as fewer marks that cover more:
// somebody may have to log in again who need not.
type Memory struct {
	// Max is the most marks that are held. Zero means 1,000,000, which take about
	// 290 MB with a session id each and no reason. Whoever can log in and out at
	// will can fill a list: limit the rate of logins. Set it before the first use.
	Max int

	filters [len(axes)]filter // of the values in cells, without mu

	mu    sync.RWMutex
	cells [len(axes)]map[string]*cell // per axis, by value
	queue queue                       // all cells
	marks int                         // in all cells
}

// Check returns nil if no mark in force covers c, and a [*RevokedError] if one
// does. It always knows, and does not look at ctx.
func (l *Memory) Check(_ context.Context, c token.Claims) error {
	for i, axis := range axes {
		value, _ := axis.of(&c)
		if !l.filters[i].may(value) {
			continue
		}
		if m, ok := l.covering(i, value, &c); ok {
			return &RevokedError{m}
		}
	}
	return nil
}

func (l *Memory) covering(axis int, value string, c *token.Claims) (Mark, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	found := l.cells[axis][value]
	if found == nil {
		return Mark{}, false
	}
	return found.covering(*c)
}

// Revoke stores the marks. If one of them makes no sense it returns an error and
// stores none. If one of them has no room it returns [ErrFull] and stores those
// before it; no mark is dropped before its Until. A mark that comes again keeps
// its first reason.
//
// Revoke does not look at ctx: it has nothing to wait for, and a logout must
// hold even if the client has hung up.
func (l *Memory) Revoke(_ context.Context, marks ...Mark) error {
	ready := make([]Mark, len(marks))
	for i, m := range marks {
		var err error
		if ready[i], err = m.Normalize(); err != nil {
			return err
		}
		// The text may be a part of a whole token, which must not stay in memory.
		for _, s := range []*string{&ready[i].Value, &ready[i].Except, &ready[i].Reason, &ready[i].By} {
			*s = strings.Clone(*s)
		}
	}
	return l.putAll(ready)
}

// Restore is Revoke for marks that [Memory.Marks] gave, before a restart say. At
// may lie ahead as far as it likes: the clock may have been set back meanwhile.
func (l *Memory) Restore(marks ...Mark) error {
	for _, m := range marks {
		if err := m.check(); err != nil {
			return fmt.Errorf("revocation: %w", err)
		}
	}
	return l.putAll(marks)
}

// Allow drops what is held of the axes and values of the marks; nothing else of
// them counts. It undoes a mistake, and with it any logout that was held as one
// mark with it: sessions that they covered are good again unless a mark of another
// axis covers them. It is no error if there is nothing to drop. It does not look at
// ctx.
func (l *Memory) Allow(_ context.Context, marks ...Mark) error {
	for _, m := range marks {
		if !slices.Contains(axes[:], m.Axis) {
			return fmt.Errorf("revocation: a mark can't have the axis %.20q", m.Axis)
		}
	}
	for _, m := range marks {
		l.drop(slices.Index(axes[:], m.Axis), m.Value)
	}
	return nil
}

// Marks gives the marks in force, in no order: those that are held from the call
// to the end of the loop, and perhaps some that come or go meanwhile. The loop
// may use the list.
func (l *Memory) Marks() iter.Seq[Mark] {
	return func(yield func(Mark) bool) {
		l.mu.RLock()
		cells := slices.Clone(l.queue)
		l.mu.RUnlock()
		for _, c := range cells {
			l.mu.RLock()
			marks := c.marks // never changed in place
			l.mu.RUnlock()
			for _, m := range marks {
				if time.Now().Before(m.Until) && !yield(m) {
					return
				}
			}
		}
	}
}

// Len returns how many marks are held, those included that have expired and not
// been dropped yet. Marks that cover the same are held as one.
func (l *Memory) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.marks
}

// Format prints a placeholder, whatever the verb.
func (l *Memory) Format(f fmt.State, _ rune) { io.WriteString(f, "revocation.Memory(redacted)") }

// putAll takes the lock for each mark, so that no check waits for a long call.
func (l *Memory) putAll(marks []Mark) error {
	for _, m := range marks {
		if err := l.put(m, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

func (l *Memory) put(m Mark, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	if !now.Before(m.Until) {
		return nil
	}
	axis := slices.Index(axes[:], m.Axis)
	c := l.cells[axis][m.Value]
	if c == nil {
		c = &cell{place: -1}
	}
	marks := merged(c.marks, m, now)
	if len(marks) > len(c.marks) && l.marks >= l.max() {
		return fmt.Errorf("%w: it holds %d marks", ErrFull, l.marks)
	}
	l.set(axis, c, marks)
	return nil
}

func (l *Memory) drop(axis int, value string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.cells[axis][value]; c != nil {
		l.set(axis, c, nil)
	}
}

// sweep drops some of the expired marks, the oldest first. If there are any it
// makes room for at least one.
func (l *Memory) sweep(now time.Time) {
	for range sweepRate {
		if len(l.queue) == 0 || now.Before(l.queue[0].due) {
			return
		}
		c := l.queue[0]
		left := slices.DeleteFunc(slices.Clone(c.marks), func(m Mark) bool { return !now.Before(m.Until) })
		l.set(slices.Index(axes[:], c.marks[0].Axis), c, left)
	}
}

// set replaces the marks of a cell, which may be a new one, and drops it if none
// are left.
func (l *Memory) set(axis int, c *cell, marks []Mark) {
	l.marks += len(marks) - len(c.marks)
	if len(marks) == 0 {
		delete(l.cells[axis], c.marks[0].Value)
		heap.Remove(&l.queue, c.place)
		return
	}
	c.marks = marks
	c.due = slices.MinFunc(marks, func(a, b Mark) int { return a.Until.Compare(b.Until) }).Until
	if c.place >= 0 {
		heap.Fix(&l.queue, c.place)
		return
	}
	if l.cells[axis] == nil {
		l.cells[axis] = make(map[string]*cell)
	}
	l.filters[axis].add(marks[0].Value, l.cells[axis])
	l.cells[axis][marks[0].Value] = c
	heap.Push(&l.queue, c)
}

func (l *Memory) max() int {
	if l.Max > 0 {
		return l.Max
	}
	return defaultMax
}
