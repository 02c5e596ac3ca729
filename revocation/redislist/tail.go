package redislist

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/markset"
)

const (
	burst    = 20                   // reads that may follow each other at once,
	perRead  = 2 * time.Millisecond // and what each one after costs
	pageSize = 512                  // records of a read
)

// tail reads what is new, for as long as the list lives.
func (l *List) tail() {
	allowance, last := time.Duration(burst)*perRead, time.Now()
	for wait := time.Duration(0); l.ctx.Err() == nil; {
		if l.away.Load() {
			l.pause(hurry / 5)
			continue
		}
		cursor, change := l.position()
		if cursor == "" {
			l.await(change)
			continue
		}
		records, err := l.readFrom(cursor, change)
		switch {
		case errors.Is(err, errMoved) || errors.Is(err, redis.Nil):
			wait = 0
		case err != nil:
			l.failed(err)
			wait = min(max(2*wait, 20*time.Millisecond), hurry)
			l.pause(around(wait))
		default:
			wait = 0
			l.take(records, change)
			// Each wake-up costs Redis as much as the news: with many news a read
			// takes more of them.
			allowance = min(allowance+time.Since(last), burst*perRead) - perRead
			last = time.Now()
			if allowance < 0 {
				l.pause(-allowance)
			}
		}
	}
}

func (l *List) position() (cursor string, change chan struct{}) {
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	return l.chain.cursor, l.chain.change
}

func (l *List) await(change chan struct{}) {
	select {
	case <-change:
	case <-l.ctx.Done():
	}
}

var errMoved = errors.New("the cursor has moved")

// readFrom waits for records after the cursor. It is left alone when the cursor
// moves, or an answer is overdue.
func (l *List) readFrom(cursor string, change chan struct{}) ([]redis.XMessage, error) {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-change:
			cancel()
		case <-ctx.Done():
		}
	}()
	streams, err := call(ctx, l, l.reads, block+time.Second, func(ctx context.Context) ([]redis.XStream, error) {
		return l.client.XRead(ctx, &redis.XReadArgs{
			Streams: []string{l.keys.log, cursor}, Count: pageSize, Block: block,
		}).Result()
	})
	cancel()
	<-stopped
	select {
	case <-change:
		return nil, errMoved
	default:
	}
	if err != nil || len(streams) == 0 {
		return nil, err
	}
	return streams[0].Messages, nil
}

// take applies what was read, whatever becomes of the chain, and reads on if the
// records follow the last one.
func (l *List) take(messages []redis.XMessage, change chan struct{}) {
	for _, m := range messages {
		r, err := read(m)
		if err == nil {
			err = l.apply(r, nil)
		}
		if err != nil {
			l.config.Log.Error("redislist: the copy grows old", "err", err)
			l.distrust(change)
			l.pause(time.Second)
			return
		}
		if !l.advance(r, change) {
			return
		}
	}
}

// apply puts the marks of a record into the copy, by way of a loader if there is one.
func (l *List) apply(r record, load *markset.Loader) error {
	_, err := items(r.body, func(i item) {
		switch {
		case i.undo && load != nil:
			load.Flush() // what came before is undone, and what comes after is not
			l.set.Undo(i.Entry)
			return
		case i.undo:
			l.set.Undo(i.Entry)
			return
		case load != nil:
			load.Add(i.Entry)
		default:
			l.set.Add(i.Entry, true)
		}
		if i.note != nil {
			l.notes.put(i.Entry, i.note)
		}
		l.followers.tell(i.Entry)
	})
	return err
}

// advance moves the chain on by a record. It reports whether it could: otherwise
// the log is not what this node has read so far.
func (l *List) advance(r record, change chan struct{}) bool {
	c := &l.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.change != change {
		return false
	}
	if r.epoch != "" || c.tip.after(r.body) != r.tip {
		l.distrusted()
		return false
	}
	c.push(r)
	c.cursor = r.id
	for i, a := range c.awaited {
		if a.tip == r.tip {
			l.complete(a.sent)
			c.awaited = slices.Delete(c.awaited, 0, i+1)
			break
		}
	}
	return true
}

// distrust has the log read again.
func (l *List) distrust(change chan struct{}) {
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	if l.chain.change == change {
		l.distrusted()
	}
}

// distrusted is distrust for who holds the lock.
func (l *List) distrusted() {
	l.chain.cursor = ""
	l.chain.moved()
	l.kick()
}

// complete says that the copy has all that was acknowledged before a heartbeat was
// sent, less what a second master may have taken. The caller holds the lock.
func (l *List) complete(sent time.Duration) {
	if !l.chain.whole {
		return
	}
	if at := int64(sent - margin); at > l.fresh.Load() {
		l.fresh.Store(at)
	}
	l.once.Do(func() { close(l.ready) })
}
