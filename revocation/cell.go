package revocation

import (
	"slices"
	"time"

	"github.com/carnet-go/carnet/token"
)

// maxPerValue bounds the marks kept of one value, and with it the time of a
// check. Marks whose Until rises with their At, as those of one MaxAge do, never
// need more than two.
const maxPerValue = 8

// A cell holds the marks of one axis and value. None of them is covered by the
// others together.
type cell struct {
	marks []Mark
	due   time.Time // when the first of them is to be forgotten
	place int       // in the queue; -1 while it is in none
}

// covering returns the mark in force that covers the claims.
func (c *cell) covering(claims token.Claims) (Mark, bool) {
	now := time.Now()
	for _, m := range c.marks {
		if now.Before(m.Until) && m.Covers(claims) {
			return m, true
		}
	}
	return Mark{}, false
}

// merged returns the fewest marks in force that cover what the given ones and m
// do: exactly that, or more if it would take more than maxPerValue. The result
// has at most one mark more than the input.
func merged(marks []Mark, m Mark, now time.Time) []Mark {
	// The new one comes first and so goes first: a mark that comes twice keeps
	// its first reason.
	all := append([]Mark{m}, marks...)
	all = slices.DeleteFunc(all, func(m Mark) bool { return !now.Before(m.Until) })
	all = withoutRedundant(all)
	for len(all) > maxPerValue {
		all[1] = join(all[0], all[1])
		all = withoutRedundant(all[1:])
	}
	return all
}

// withoutRedundant removes the marks that the remaining ones cover together.
func withoutRedundant(marks []Mark) []Mark {
	for i := 0; i < len(marks); {
		if redundant(marks, i) {
			marks = slices.Delete(marks, i, i+1)
		} else {
			i++
		}
	}
	return marks
}

// redundant reports whether the other marks cover all that marks[i] does. One
// that reaches as far is enough if it spares nothing more. So are two that spare
// different sessions: each covers the one that the other spares.
func redundant(marks []Mark, i int) bool {
	spared, m := "", marks[i]
	for k, other := range marks {
		switch {
		case k == i || !other.reaches(m):
		case other.Except == "" || other.Except == m.Except:
			return true
		case spared != "" && spared != other.Except:
			return true
		default:
			spared = other.Except
		}
	}
	return false
}

// reaches reports whether m covers as late a start, for as long, as the other.
func (m Mark) reaches(other Mark) bool {
	return !m.Until.Before(other.Until) && (m.Axis.whole() || !m.At.Before(other.At))
}

// join returns a mark that covers at least what a and b do.
func join(a, b Mark) Mark {
	if b.At.After(a.At) {
		a.At = b.At
	}
	if b.Until.After(a.Until) {
		a.Until = b.Until
	}
	if a.Except != b.Except {
		a.Except = ""
	}
	return a
}

// A queue is a heap of cells, the one that is due first on top.
type queue []*cell

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, k int) bool { return q[i].due.Before(q[k].due) }
func (q queue) Swap(i, k int) {
	q[i], q[k] = q[k], q[i]
	q[i].place, q[k].place = i, k
}

func (q *queue) Push(c any) {
	c.(*cell).place = len(*q)
	*q = append(*q, c.(*cell))
}

func (q *queue) Pop() any {
	old := *q
	c := old[len(old)-1]
	old[len(old)-1] = nil // or the array keeps it alive
	*q = old[:len(old)-1]
	return c
}
