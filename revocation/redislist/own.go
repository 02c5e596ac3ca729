package redislist

import (
	"sync"
	"time"

	"github.com/carnet-go/carnet/internal/markset"
)

const (
	maxOwn  = 1 << 16
	arrival = 2 * time.Second // a mark that was written and hasn't come back by then is lost
)

// own has the marks that this node took in and that have not come back with the
// log. Nobody else may have them: a master may confirm one and die before it has
// sent it on. So what counts as stored is what was read, not what was confirmed.
type own struct {
	mu    sync.Mutex
	marks map[markset.Entry]taken
}

type taken struct {
	since  time.Time
	failed bool
}

// put remembers a mark that is about to be written. Beyond maxOwn marks are written
// back with the others' if it comes to that.
func (o *own) put(e markset.Entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.marks == nil {
		o.marks = make(map[markset.Entry]taken)
	}
	if len(o.marks) < maxOwn {
		o.marks[e] = taken{since: time.Now()}
	}
}

// fail says that writing these did not succeed.
func (o *own) fail(all []item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, i := range all {
		if t, ok := o.marks[i.Entry]; ok {
			t.failed = true
			o.marks[i.Entry] = t
		}
	}
}

// sort forgets the marks that have come back, and tells those that are to be written
// again from those that are on their way.
func (o *own) sort(back func(markset.Entry) bool) (due []markset.Entry, flying map[markset.Entry]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	flying = make(map[markset.Entry]bool)
	for e, t := range o.marks {
		switch {
		case back(e):
			delete(o.marks, e)
		case t.failed || time.Since(t.since) > arrival:
			due = append(due, e)
		default:
			flying[e] = true
		}
	}
	return due, flying
}
