package redislist

import (
	"sync"
	"time"
)

const (
	maxRecent = 8192    // records that are remembered,
	maxBytes  = 1 << 20 // and bytes of them

	maxAwaited = 16
)

// A chain is how far this node has read the log.
type chain struct {
	mu     sync.Mutex
	epoch  string
	tip    tip
	cursor string // id of the last record read; empty while the log is read as a whole
	pos    int    // records read
	whole  bool   // every node had the time to write back what an emptied Redis lost

	recent []record    // the latest ones
	bytes  int         // in them
	at     map[tip]int // the position after each of them

	awaited []awaited
	change  chan struct{} // closed and replaced when the cursor moves otherwise than by reading on
}

// awaited is a heartbeat that saw a tip which this node has not reached.
type awaited struct {
	tip  tip
	sent time.Duration
	pos  int
}

func (c *chain) init() {
	c.at = make(map[tip]int)
	c.change = make(chan struct{})
}

// moved lets the reader begin again from the cursor. The caller holds the lock.
func (c *chain) moved() {
	close(c.change)
	c.change = make(chan struct{})
	c.awaited = nil
}

// restart forgets where the node was, but how many records it has read. It returns
// whether the epoch is another one.
func (c *chain) restart(epoch string) (pos int, other bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	other = c.epoch != epoch
	if other {
		c.whole = false
	}
	c.epoch, c.cursor, c.recent, c.bytes = epoch, "", nil, 0
	clear(c.at)
	c.moved()
	return c.pos, other
}

// push takes one more record. The caller holds the lock.
func (c *chain) push(r record) {
	c.pos++
	c.tip, c.at[r.tip] = r.tip, c.pos
	c.recent = append(c.recent, r)
	c.bytes += len(r.body)
	for len(c.recent) > maxRecent || c.bytes > maxBytes && len(c.recent) > 1 {
		c.bytes -= len(c.recent[0].body)
		delete(c.at, c.recent[0].tip)
		c.recent = c.recent[1:]
	}
}

// back makes a record that was read before the last one, and returns those that
// were after it. Positions only grow: a heartbeat on its way is of an earlier one.
func (c *chain) back(to record) (lost []record, ok bool) {
	if _, ok := c.at[to.tip]; !ok {
		return nil, false
	}
	last := len(c.recent) - 1
	for c.recent[last].tip != to.tip {
		last--
	}
	c.recent, lost = c.recent[:last+1:last+1], c.recent[last+1:]
	for _, r := range lost {
		delete(c.at, r.tip)
		c.bytes -= len(r.body)
	}
	c.pos++
	c.tip, c.cursor, c.at[to.tip] = to.tip, to.id, c.pos
	return lost, true
}
