package redislist

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A head is what a heartbeat tells.
type head struct {
	epoch         string
	tip           tip
	age           time.Duration // of the epoch
	now           time.Time     // by the clock of Redis
	fastest       time.Duration // how far the fastest clock of a node is ahead of that one
	needy         int           // nodes that have marks which the log lacks
	entries, xlen int64
}

var (
	errEmpty   = errors.New("there is no log in Redis")
	errVersion = errors.New("the log in Redis is of another version")
)

// ask sends a heartbeat, which so many replicas must have taken.
func (l *List) ask(ctx context.Context, s slots, replicas int) (head, error) {
	return call(ctx, l, s, max(time.Second, l.config.Timeout), func(ctx context.Context) (head, error) {
		needy := 0
		if l.lacking.Load() {
			needy = 1
		}
		sent := time.Now()
		v, err := l.script(ctx, beat, []string{l.keys.head, l.keys.log, l.keys.needy}, replicas, l.node, needy, sent.UnixMilli())
		if err != nil {
			return head{}, err
		}
		h, err := parseHead(v)
		if err == nil {
			l.clocks.measure(sent, time.Now(), h)
		}
		return h, err
	})
}

func parseHead(v any) (h head, err error) {
	f, _ := v.([]any)
	if len(f) == 0 {
		return head{}, errEmpty
	}
	if len(f) != 9 || f[0] != "1" {
		return head{}, errVersion
	}
	t, _ := f[2].(string)
	h.epoch, _ = f[1].(string)
	if h.epoch == "" || copy(h.tip[:], t) != len(h.tip) {
		return head{}, errVersion
	}
	born, now := number(f[4]), number(f[5])
	h.age = time.Duration(now-born) * time.Millisecond
	h.now, h.fastest = time.UnixMilli(now), time.Duration(number(f[8]))*time.Millisecond
	h.entries, h.needy, h.xlen = number(f[3]), int(number(f[6])), number(f[7])
	return h, nil
}

func number(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case string:
		n, _ := strconv.ParseInt(v, 10, 64)
		return n
	}
	return 0
}

// heart sends heartbeats. None waits for an earlier one.
func (l *List) heart() {
	var bad atomic.Int32
	for l.ctx.Err() == nil {
		l.begin(func() {
			if err := l.pulse(); err == nil {
				bad.Store(0)
				l.up()
			} else if !errors.Is(err, errBusy) && bad.Add(1) >= 2 {
				l.isDown(err)
			}
		})
		every := interval
		if l.down.Load() || !l.steady() {
			every = hurry
		}
		l.pause(around(every))
	}
}

// pulse sends one heartbeat and draws the conclusions.
func (l *List) pulse() error {
	l.chain.mu.Lock()
	pos := l.chain.pos
	l.chain.mu.Unlock()
	if l.down.Load() {
		if err := l.reach(); err != nil {
			return err
		}
	}
	sent := time.Since(l.base)
	h, err := l.ask(l.ctx, l.beats, l.config.Replicas)
	switch {
	case errors.Is(err, errEmpty):
		l.lost()
		return nil
	case err != nil:
		l.failed(err)
		return err
	}
	l.own.sort(l.back)
	l.entries.Store(h.entries)
	l.xlen.Store(h.xlen)
	awaiting := l.judge(h, sent, pos)
	if left := warmUp - h.age; !awaiting && left > 0 && left < hurry && l.pause(left+time.Millisecond) {
		return l.pulse() // as soon as the epoch is old enough
	}
	if awaiting {
		// The reader is a moment behind, or has been cut off.
		l.pause(hurry)
		l.overdue(h.tip)
	}
	if l.lacking.Load() || l.set.Unstored() > 0 || l.crowded() {
		l.kick()
	}
	return nil
}

// lost is called when Redis turns out to be empty.
func (l *List) lost() {
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	if l.chain.cursor != "" {
		l.config.Log.Warn("redislist: Redis has lost the list; writing it back")
		l.chain.whole = false
		l.lacking.Store(true)
		l.distrusted()
	}
}

// overdue has the log read if a tip was not reached, and nothing is on its way that
// could lead there.
func (l *List) overdue(t tip) {
	c := &l.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.awaited {
		if _, reached := c.at[t]; a.tip == t && a.pos == c.pos && !reached && c.cursor != "" {
			l.distrusted()
			return
		}
	}
}

// judge compares the log's tip with this node's. Pos is where the node was before
// the heartbeat was sent. Awaiting means that the node has not read that far.
func (l *List) judge(h head, sent time.Duration, pos int) (awaiting bool) {
	c := &l.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cursor == "" {
		l.kick()
		return false
	}
	if h.epoch != c.epoch {
		c.whole = false
		l.lacking.Store(true)
		l.distrusted()
		return false
	}
	if !c.whole && h.age > warmUp && h.needy == 0 {
		c.whole = true
	}
	if !c.whole {
		l.config.Log.Debug("redislist: the log is not complete yet", "age", h.age, "nodes with more marks", h.needy)
	}
	at, known := c.at[h.tip]
	if !known && h.tip == c.tip {
		at, known = c.pos, true
	}
	switch {
	case known && at >= pos:
		c.awaited = nil
		l.complete(sent)
	case known:
		l.config.Log.Warn("redislist: Redis has lost the end of the log; writing it back")
		l.distrusted()
	default:
		if len(c.awaited) == maxAwaited {
			c.awaited = c.awaited[1:]
		}
		c.awaited = append(c.awaited, awaited{h.tip, sent, c.pos})
		return true
	}
	return false
}

// steady reports whether the copy follows the log.
func (l *List) steady() bool {
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	return l.chain.whole && l.chain.cursor != "" && len(l.chain.awaited) == 0
}

func (l *List) isDown(err error) {
	l.why.Store(&err)
	if !l.down.Swap(true) {
		l.config.Log.Warn("redislist: Redis does not answer; the copy grows old", "err", err)
	}
}

// reach finds out whether a Redis that did not answer can be dialled, without the
// client: that does not dial for a second at a time once it has failed often. Until
// then nobody else tries.
func (l *List) reach() error {
	c, ok := l.client.(*redis.Client)
	if !ok {
		return nil
	}
	o := c.Options()
	_, err := call(l.ctx, l, l.beats, time.Second, func(ctx context.Context) (any, error) {
		conn, err := o.Dialer(ctx, o.Network, o.Addr)
		if err != nil {
			return nil, err
		}
		return nil, conn.Close()
	})
	l.away.Store(err != nil)
	return err
}

func (l *List) up() {
	l.away.Store(false)
	if l.down.Swap(false) {
		l.config.Log.Info("redislist: Redis answers again")
		l.kick()
	}
}
