package overflow

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrFull is a [Memory] without room. It says nothing about any session.
var ErrFull = errors.New("overflow: the store is full")

// A Memory is a Store in this process. A restart forgets all, and other processes know
// nothing of it: sessions with data in it end. The zero Memory is empty and ready.
type Memory struct {
	// Max is the most bytes that are held, of entries alone. Zero means 256 MiB. An
	// entry that has no room is not taken.
	Max int

	mu       sync.Mutex
	sessions map[string]*versions
	size     int
	sweepAt  int // how many sessions there are when the next sweep is due
}

// versions are the entries of one session, the oldest first.
type versions struct {
	entries []entry
	until   time.Time
}

type entry struct {
	name string
	data []byte
}

// Put is that of [Store]. It does not look at ctx: it has nothing to wait for.
func (m *Memory) Put(_ context.Context, session, name string, data []byte, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions == nil {
		m.sessions = map[string]*versions{}
	}
	m.sweep(time.Now(), len(data))
	v := m.sessions[session]
	if v != nil && v.find(name) != nil {
		return nil
	}
	if m.size+len(data) > m.max() {
		return ErrFull
	}
	if v == nil {
		v = &versions{}
		m.sessions[strings.Clone(session)] = v // it may be a part of the text of a whole token
	}
	v.entries = append(v.entries, entry{name, bytes.Clone(data)})
	m.size += len(data)
	if len(v.entries) > Versions {
		m.size -= len(v.entries[0].data)
		v.entries = slices.Delete(v.entries, 0, 1)
	}
	if until.After(v.until) {
		v.until = until
	}
	return nil
}

// Get is that of [Store].
func (m *Memory) Get(_ context.Context, session, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.sessions[session]
	if v == nil || !time.Now().Before(v.until) {
		return nil, ErrMissing
	}
	e := v.find(name)
	if e == nil {
		return nil, ErrMissing
	}
	return bytes.Clone(e.data), nil
}

func (v *versions) find(name string) *entry {
	for i := range v.entries {
		if v.entries[i].name == name {
			return &v.entries[i]
		}
	}
	return nil
}

const (
	defaultMax = 256 << 20
	firstSweep = 1024
)

func (m *Memory) max() int {
	if m.Max == 0 {
		return defaultMax
	}
	return m.Max
}

// sweep drops the sessions that have ended, if there is no room for n bytes or there are
// twice as many as the last sweep left.
func (m *Memory) sweep(now time.Time, n int) {
	m.sweepAt = max(m.sweepAt, firstSweep)
	if m.size+n <= m.max() && len(m.sessions) < m.sweepAt {
		return
	}
	for s, v := range m.sessions {
		if now.Before(v.until) {
			continue
		}
		for _, e := range v.entries {
			m.size -= len(e.data)
		}
		delete(m.sessions, s)
	}
	m.sweepAt = 2 * len(m.sessions)
}
