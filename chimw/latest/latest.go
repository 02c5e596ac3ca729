// Package latest remembers the newest cookie of each session, for the routes that
// must not take an older one:
//
//	newest := new(latest.Memory) // or redislatest.New, for several nodes
//	r.With(sessions.RequireLatest(newest)).Post("/vouchers", spend)
//
// A session lives with the client, who can keep an old cookie and send it again: a
// basket that was emptied is full once more. Here each token has a revision, which
// counts the changes of its data, and what is refused is a revision lower than one
// that the client has shown to such a route before.
//
// # What is not refused
//
// A cookie whose successor the client has not shown yet: its response may have been
// lost. And a change that another route makes to an old cookie counts as a change:
// put each route that calls Update or Elevate behind RequireLatest, or the old data
// can be brought up to date there. What must be right to the last cent belongs into a
// database.
package latest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// A Store remembers the highest revision of each session. It is safe for concurrent
// use. Package latesttest has the tests that every Store must pass.
type Store interface {
	// Advance returns whether no higher revision of the session was there before,
	// and remembers this one if it is the highest. The two are one step: of two
	// callers at the same time the second sees what the first left. A session may
	// be forgotten at until. An error means that it could not tell. What is kept of
	// session must be a clone: it may be a part of the text of a whole token.
	Advance(ctx context.Context, session string, revision int64, until time.Time) (latest bool, err error)
}

// ErrFull is a Memory without room. It says nothing about any cookie.
var ErrFull = errors.New("latest: the store is full")

// A Memory is a Store in this process. A restart forgets all, and other processes
// know nothing of it. The zero Memory is empty and ready.
type Memory struct {
	// Max is the most sessions that are held. Zero means 1,000,000, which take about
	// 150 MB. A session that has no room is not let pass.
	Max int

	mu       sync.Mutex
	sessions map[string]entry
	sweepAt  int // how many sessions there are when the next sweep is due
}

type entry struct {
	revision int64
	until    time.Time
}

// Advance is that of [Store]. It does not look at ctx: it has nothing to wait for.
func (m *Memory) Advance(_ context.Context, session string, revision int64, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old, known := m.sessions[session]
	switch {
	case known && now.Before(old.until) && revision < old.revision:
		return false, nil
	case !known && !m.room(now):
		return false, ErrFull
	}
	m.sessions[strings.Clone(session)] = entry{max(revision, old.revision), until}
	return true, nil
}

const (
	defaultMax = 1_000_000
	firstSweep = 1024
)

// room reports whether one more session fits. It sweeps when there are twice as many
// as the last sweep left, so that no session pays for more than a few others.
func (m *Memory) room(now time.Time) bool {
	most := m.Max
	if most == 0 {
		most = defaultMax
	}
	if m.sessions == nil {
		m.sessions, m.sweepAt = map[string]entry{}, firstSweep
	}
	if n := len(m.sessions); n >= m.sweepAt || n >= most {
		for s, e := range m.sessions {
			if !now.Before(e.until) {
				delete(m.sessions, s)
			}
		}
		m.sweepAt = max(2*len(m.sessions), firstSweep)
	}
	return len(m.sessions) < most
}
