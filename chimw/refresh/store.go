package refresh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/carnet-go/carnet/token"
)

// A Store counts the generations of each session's refresh token. It is safe for
// concurrent use, by any number of nodes. Package refreshtest has the tests that every
// Store must pass. Any error but [ErrReused] and [ErrUnknown] means that it could not
// tell; then it may have done what it was asked, or not. What it keeps of a session's id
// must be a clone: it may be a part of the text of a whole token.
type Store interface {
	// Put remembers that a session has come to a generation, zero at the login,
	// unless it was remembered already with that one or a later one, or as ended.
	// The session may be forgotten at until.
	Put(ctx context.Context, session string, generation int64, until time.Time) error

	// Advance returns the generation that a client with the generation from gets, in
	// one step: of any number of callers at the same time each sees what the one
	// before has left. Let g be the session's generation.
	//
	//   - from is g: g+1, which is made at this moment. If g was made by Advance less
	//     than grace ago it is g, and nothing changes.
	//   - from is g-1, and g was made by Advance less than grace ago: g.
	//   - from is less than that: ErrReused, now and for whatever comes after.
	//   - from is more than g, or the session is not known: ErrUnknown, and nothing
	//     changes.
	//
	// Moments are of the clock of the store, which all callers share. Zero grace is
	// none.
	Advance(ctx context.Context, session string, from int64, grace time.Duration, until time.Time) (generation int64, err error)
}

// reused is of the family of token.ErrInvalid.
type reused struct{}

func (reused) Error() string {
	return fmt.Sprintf("%v: the refresh token came again", token.ErrInvalid)
}
func (reused) Unwrap() error { return token.ErrInvalid }

// Reason is the word for it in logs and counters.
func (reused) Reason() string { return "reused" }

var (
	// ErrReused is a refresh token that was replaced some time ago: it or its
	// successor is in wrong hands. It is of the family of [token.ErrInvalid].
	ErrReused error = reused{}

	// ErrUnknown is a session that a [Store] does not know, or of which it knows less
	// than the caller. It says nothing about any token.
	ErrUnknown = errors.New("refresh: the store does not know the session")

	// ErrFull is a [Memory] without room. It says nothing about any token.
	ErrFull = errors.New("refresh: the store is full")
)

// A Memory is a Store in this process. A restart forgets all, and other processes know
// nothing of it. The zero Memory is empty and ready.
type Memory struct {
	// Max is the most sessions that are held. Zero means 1,000,000, which take about
	// 170 MB. One that has no room can't begin.
	Max int

	mu       sync.Mutex
	sessions map[string]chain
	sweepAt  int // how many sessions there are when the next sweep is due
}

// A chain is how far a session has come.
type chain struct {
	generation int64     // ended if the session is
	made       time.Time // by Advance; zero if it was not
	until      time.Time
}

const ended = -1

// Put is that of [Store]. It does not look at ctx: it has nothing to wait for.
func (m *Memory) Put(_ context.Context, session string, generation int64, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old, known := m.sessions[session]
	if known && now.Before(old.until) && (old.generation == ended || old.generation >= generation) {
		return nil
	}
	if !known && !m.room(now) {
		return ErrFull
	}
	m.sessions[strings.Clone(session)] = chain{generation, time.Time{}, until}
	return nil
}

// Advance is that of [Store].
func (m *Memory) Advance(_ context.Context, session string, from int64, grace time.Duration, until time.Time) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	c, known := m.sessions[session]
	if !known || !now.Before(c.until) {
		return 0, ErrUnknown
	}
	next, err := c.advance(from, now, grace)
	if next != c.generation {
		m.sessions[strings.Clone(session)] = chain{next, now, until}
	}
	if err != nil {
		return 0, err
	}
	return next, nil
}

// advance returns the generation after the step.
func (c *chain) advance(from int64, now time.Time, grace time.Duration) (int64, error) {
	fresh := !c.made.IsZero() && now.Sub(c.made) < grace
	switch {
	case c.generation == ended:
		return ended, ErrReused
	case from > c.generation:
		return c.generation, ErrUnknown
	case fresh && from >= c.generation-1:
		return c.generation, nil
	case from == c.generation:
		return from + 1, nil
	}
	return ended, ErrReused
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
		m.sessions, m.sweepAt = map[string]chain{}, firstSweep
	}
	if n := len(m.sessions); n >= m.sweepAt || n >= most {
		for s, c := range m.sessions {
			if !now.Before(c.until) {
				delete(m.sessions, s)
			}
		}
		m.sweepAt = max(2*len(m.sessions), firstSweep)
	}
	return len(m.sessions) < most
}
