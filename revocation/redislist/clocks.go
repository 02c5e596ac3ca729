package redislist

import (
	"sync/atomic"
	"time"

	"github.com/carnet-go/carnet/revocation"
)

const (
	unsure   = time.Second            // what clocks differ by for sure if they seem to differ by more
	exact    = 500 * time.Millisecond // the longest heartbeat that tells the time well enough
	farthest = 5*time.Minute - unsure // the most that a mark is moved: Normalize takes no more
	recent   = time.Minute            // a mark of the last minute is one of all sessions until now
)

// clocks is how far the fastest clock of all nodes is ahead of this one's. Redis
// keeps by how much that is ahead of its own, which may be off: it cancels out.
type clocks struct{ ahead atomic.Int64 }

// measure takes in a heartbeat that was sent and answered then.
func (c *clocks) measure(sent, answered time.Time, h head) {
	took := answered.Sub(sent)
	if took > exact || took < 0 {
		return
	}
	here := sent.Add(took / 2).Sub(h.now)
	ahead := h.fastest - here
	if ahead < unsure {
		ahead = 0
	}
	c.ahead.Store(int64(ahead))
}

// dated returns a mark of all sessions until now with an At that they lie before.
// That is later than now if a node's clock is ahead of this one, as its sessions are
// then, or if the list has a mark that lies ahead: who logs in after that one
// starts at its At (see chimw).
func (l *List) dated(m revocation.Mark, now time.Time) revocation.Mark {
	if m.At.IsZero() {
		m.At = now
	}
	if m.At.Before(now.Add(-recent)) || m.At.After(now.Add(unsure)) {
		return m
	}
	at := m.At
	if ahead := time.Duration(l.clocks.ahead.Load()); ahead > 0 {
		at = now.Add(ahead + unsure)
	}
	if latest := l.set.Latest(); !at.After(latest) && latest.After(now) {
		at = latest.Add(time.Microsecond)
	}
	if limit := now.Add(farthest); at.After(limit) {
		at = limit
	}
	if at.After(m.At) {
		m.At = at
	}
	return m
}
