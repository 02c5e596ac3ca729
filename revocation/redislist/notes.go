package redislist

import (
	"sync"

	"github.com/carnet-go/carnet/internal/markset"
)

// maxNotes bounds the notes that are remembered. The oldest go first: their marks
// stay, without a reason.
const maxNotes = 10_000

type noteKey struct {
	id markset.ID
	at int64
}

// notes has what operators said of the latest marks. Most marks are logouts, of
// which nobody says anything.
type notes struct {
	mu     sync.Mutex
	of     map[noteKey]*note
	order  []noteKey // a ring once it is full
	oldest int
}

// put remembers a note, and reports whether the mark had none. The first of a mark
// stays.
func (n *notes) put(e markset.Entry, text *note) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := noteKey{e.ID, e.At}
	if n.of == nil {
		n.of = make(map[noteKey]*note)
	}
	if n.of[k] != nil {
		return false
	}
	n.of[k] = text
	if len(n.order) < maxNotes {
		n.order = append(n.order, k)
		return true
	}
	delete(n.of, n.order[n.oldest])
	n.order[n.oldest] = k
	n.oldest = (n.oldest + 1) % maxNotes
	return true
}

func (n *notes) get(e markset.Entry) *note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.of[noteKey{e.ID, e.At}]
}
