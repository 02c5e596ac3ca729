package redislist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/markset"
)

// mend brings copy and log together again whenever something is amiss: it reads
// the log anew, writes back what the log lacks, and packs the log.
func (l *List) mend() {
	wait, told := time.Duration(0), false
	for l.ctx.Err() == nil {
		if err := l.mendOnce(); err != nil {
			l.failed(err)
			l.config.Log.Debug("redislist: copy and log do not agree yet", "err", err)
			told = l.refused(err, told)
			if wait = min(max(2*wait, 20*time.Millisecond), time.Second); errors.Is(err, errChanged) {
				wait = 0 // there is news, and no trouble
			}
			l.rest(around(wait + 2))
			continue
		}
		wait, told = 0, false
		l.why.Store(nil)
		select {
		case <-l.wake:
		case <-l.ctx.Done():
		}
	}
}

// refused tells once of a Redis that answers, and with a no: to a user who may not, or
// for want of memory. A heartbeat need not notice while there is no list.
func (l *List) refused(err error, told bool) bool {
	if _, no := errors.AsType[redis.Error](err); !no {
		return told
	}
	l.why.Store(&err)
	if !told {
		l.config.Log.Warn("redislist: Redis refuses; copy and log do not agree yet", "err", err)
	}
	return true
}

// rest waits for that time, or until something has changed.
func (l *List) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	l.pause(20 * time.Millisecond) // each failed logout kicks
	select {
	case <-timer.C:
	case <-l.wake:
	case <-l.ctx.Done():
	}
}

func (l *List) mendOnce() error {
	if l.away.Load() {
		return errDown // up wakes
	}
	if cursor, _ := l.position(); cursor == "" {
		if err := l.resync(); err != nil {
			return err
		}
		l.begin(func() { l.pulse() }) // or whoever waits for it waits for the next one
	}
	if l.set.Unstored() > 0 || l.lacking.Load() {
		if err := l.repair(); err != nil {
			return err
		}
	}
	if l.crowded() {
		return l.packLog()
	}
	return nil
}

// resync finds the place in the log from which to read on.
func (l *List) resync() error {
	h, err := l.ask(l.ctx, l.mends, 0)
	if errors.Is(err, errEmpty) {
		if _, err := l.write(l.ctx, l.mends, nil); err != nil {
			return err
		}
		h, err = l.ask(l.ctx, l.mends, 0)
	}
	if err != nil {
		return err
	}
	if found, err := l.rejoin(h); found || err != nil {
		return err
	}
	return l.readAll(h.epoch)
}

// rejoin looks in the end of the log for the latest record that this node has read.
// What the node read after it the log has lost; what the log has after it is new.
// It is the cheap way: a failover costs a page, not the whole log.
func (l *List) rejoin(h head) (found bool, err error) {
	l.chain.mu.Lock()
	known := l.chain.epoch == h.epoch && len(l.chain.recent) > 0
	l.chain.mu.Unlock()
	if !known {
		return false, nil
	}
	page, err := call(l.ctx, l, l.mends, 2*time.Second, func(ctx context.Context) ([]redis.XMessage, error) {
		return l.client.XRevRangeN(ctx, l.keys.log, "+", "-", 1000).Result()
	})
	if err != nil {
		return false, err
	}
	var after []record
	for _, m := range page {
		r, err := read(m)
		if err != nil {
			return false, err
		}
		if l.joins(r) {
			return true, l.follow(after)
		}
		after = append(after, r)
	}
	return false, nil
}

// joins makes r the last record read, if it is a known one.
func (l *List) joins(r record) bool {
	c := &l.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	lost, ok := c.back(r)
	if !ok {
		return false
	}
	c.moved()
	for _, r := range lost {
		l.lacking.Store(true)
		items(r.body, func(i item) { l.set.Lose(i.Entry) })
	}
	return true
}

// follow takes the records after the one where the node joined, latest first.
func (l *List) follow(after []record) error {
	_, change := l.position()
	for i := len(after) - 1; i >= 0; i-- {
		if err := l.apply(after[i], nil); err != nil {
			return err
		}
		if !l.advance(after[i], change) {
			return errChanged
		}
	}
	return nil
}

var errChanged = errors.New("the log changed while it was read")

// readAll reads the log from the start.
func (l *List) readAll(epoch string) error {
	pos, other := l.chain.restart(epoch)
	if other {
		l.config.Log.Info("redislist: reading the whole log")
	}
	l.lacking.Store(true)
	l.set.Forget()
	all := &chain{pos: pos}
	all.init()
	load := l.set.Loader()
	defer load.Flush()
	p := pages{l: l, from: "-", count: pageSize}
	next := p.fetch()
	for n := 0; ; n++ {
		page := <-next
		if page.err != nil {
			return page.err
		}
		if len(page.messages) > 0 {
			next = p.after(page.messages)
		}
		if err := l.readPage(all, page.messages, load); err != nil {
			return err
		}
		if len(page.messages) == 0 {
			break
		}
	}
	load.Flush()
	return l.arrive(epoch, all)
}

// readPage takes records that follow each other. The first page may begin anywhere:
// what was before it is packed behind it.
func (l *List) readPage(all *chain, messages []redis.XMessage, load *markset.Loader) error {
	for _, m := range messages {
		r, err := read(m)
		if err != nil {
			return err
		}
		if all.cursor != "" && (r.epoch != "" || all.tip.after(r.body) != r.tip) {
			return errChanged
		}
		if err := l.apply(r, load); err != nil {
			return err
		}
		all.push(r)
		all.cursor = r.id
	}
	return nil
}

// arrive takes over the place where the whole reading ended.
func (l *List) arrive(epoch string, all *chain) error {
	c := &l.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	if all.cursor == "" || c.epoch != epoch {
		return fmt.Errorf("%w: no records", errChanged)
	}
	c.tip, c.cursor, c.recent, c.bytes, c.at = all.tip, all.cursor, all.recent, all.bytes, all.at
	c.pos = all.pos
	c.moved()
	return nil
}

// pages reads the log ahead of whoever takes it in.
type pages struct {
	l        *List
	from     string
	count    int64
	reserved bool
}

type page struct {
	messages []redis.XMessage
	err      error
}

const pageBytes = 512 << 10

func (p *pages) fetch() <-chan page {
	next := make(chan page, 1)
	from, count := p.from, p.count
	started := p.l.begin(func() {
		m, err := call(p.l.ctx, p.l, p.l.mends, 5*time.Second, func(ctx context.Context) ([]redis.XMessage, error) {
			return p.l.client.XRangeN(ctx, p.l.keys.log, from, "+", count).Result()
		})
		next <- page{m, err}
	})
	if !started {
		next <- page{nil, ErrClosed}
	}
	return next
}

// after fetches the page after this one, as many records as make half a megabyte.
func (p *pages) after(messages []redis.XMessage) <-chan page {
	size := 0
	for _, m := range messages {
		e, _ := m.Values["e"].(string)
		size += len(e) + 16
	}
	p.count = int64(min(max(pageBytes*len(messages)/size, 16), 4096))
	if n := p.l.xlen.Load() * int64(size/len(messages)) / 17; !p.reserved && n > 100_000 {
		p.l.set.Reserve(markset.Session, int(min(n, p.l.entries.Load())))
		p.reserved = true
	}
	p.from = "(" + messages[len(messages)-1].ID
	return p.fetch()
}
