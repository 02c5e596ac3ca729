package redislist

import (
	"sync"
	"time"

	"github.com/carnet-go/carnet/internal/markset"
)

const (
	ownTime = time.Minute // longer than any failover takes
	maxOwn  = 1 << 16
)

// own has the marks that this node took in lately. A master may confirm one and
// die before anybody else has it.
type own struct {
	mu      sync.Mutex
	marks   []taken
	dropped time.Time // when one was dropped that was not old enough
}

type taken struct {
	markset.Entry
	at time.Time
}

func (o *own) put(e markset.Entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	gone := 0
	for gone < len(o.marks) && now.Sub(o.marks[gone].at) > ownTime {
		gone++
	}
	if len(o.marks)-gone >= maxOwn {
		gone, o.dropped = gone+1, now
	}
	o.marks = append(o.marks[gone:], taken{e, now})
}

// overflowed reports whether a mark of the last minute may not be here.
func (o *own) overflowed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.dropped.IsZero() && time.Since(o.dropped) <= ownTime
}

// each calls f with the marks of the last minute.
func (o *own) each(f func(markset.Entry)) {
	o.mu.Lock()
	marks := o.marks
	o.mu.Unlock()
	for _, m := range marks {
		if time.Since(m.at) <= ownTime {
			f(m.Entry)
		}
	}
}
