package keys

import (
	"log/slog"
	"sync"
	"time"
)

// health is how it goes with following.
type health struct {
	confirmed time.Time // when the store last had what the snapshot is from
	loading   error     // what is wrong with the document or the store
	watching  error     // why no change will be noticed
}

func (h *health) problem() error {
	if h.loading != nil {
		return h.loading
	}
	return h.watching
}

// telling has the changes of a ring's problem that nobody was told of yet.
type telling struct {
	sync.Mutex
	queue []error // nil says that a problem is over
	busy  bool    // somebody is telling them
}

// note keeps how it goes, and what is to be told if the problem is another than
// before.
func (l *live[S]) note(change func(*health)) {
	l.telling.Lock()
	defer l.telling.Unlock()
	before, now := new(health), new(health)
	if h := l.health.Load(); h != nil {
		*before, *now = *h, *h
	}
	change(now)
	l.health.Store(now)
	if problem := now.problem(); message(before.problem()) != message(problem) && l.stop != nil {
		l.telling.queue = append(l.telling.queue, problem)
	}
}

// tell passes on what was noted, in its order. It holds no lock meanwhile: who is
// told may look at the ring, or reload it.
func (l *live[S]) tell() {
	for {
		problem, ok := l.telling.next()
		if !ok {
			return
		}
		l.say(problem)
		l.telling.done()
	}
}

func (t *telling) next() (problem error, ok bool) {
	t.Lock()
	defer t.Unlock()
	if t.busy || len(t.queue) == 0 {
		return nil, false
	}
	problem, t.queue, t.busy = t.queue[0], t.queue[1:], true
	return problem, true
}

func (t *telling) done() {
	t.Lock()
	defer t.Unlock()
	t.busy = false
}

func (l *live[S]) say(problem error) {
	switch {
	case l.src.Report != nil:
		l.src.Report(problem)
	case problem != nil:
		slog.Warn("carnet: a key ring goes on with the keys it has", "problem", problem)
	default:
		slog.Info("carnet: a key ring follows its store again", "generation", l.Generation())
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
