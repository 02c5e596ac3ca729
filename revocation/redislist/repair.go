package redislist

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/markset"
)

const (
	fewMissing = 64 // marks that are written back without a lease
	leaseTime  = 5 * time.Second
)

// write appends items to the log and returns the tip after them when Redis has
// them. They are counted as stored when they come back with the log.
func (l *List) write(ctx context.Context, s slots, all []item) (last tip, err error) {
	records := bodies(all)
	for first := true; first || len(records) > 0; first = false {
		n := min(len(records), perCall)
		count := min(len(all), n*perRecord)
		args := append([]any{l.node + "-" + time.Now().UTC().Format("20060102150405.000"), count}, records[:n]...)
		v, err := call(ctx, l, s, l.config.Timeout, func(ctx context.Context) (any, error) {
			return l.script(ctx, add, []string{l.keys.head, l.keys.log}, l.config.Replicas, args...)
		})
		if err != nil {
			l.failed(err)
			return last, err
		}
		l.up() // no heartbeat need find out
		if f, ok := v.([]any); ok && len(f) == 2 {
			t, _ := f[1].(string)
			copy(last[:], t)
		}
		all, records = all[count:], records[n:]
	}
	return last, nil
}

// arrived waits until what was written has come back with the log.
func (l *List) arrived(t tip) {
	for end := time.Now().Add(arrival); time.Now().Before(end); {
		l.chain.mu.Lock()
		_, ok := l.chain.at[t]
		ok = ok || l.chain.cursor == ""
		l.chain.mu.Unlock()
		if ok || !l.pause(2*time.Millisecond) {
			return
		}
	}
}

// repair writes back what the log lacks: first what this node took in itself, as
// nobody else may have it, then the rest, by one node at a time.
func (l *List) repair() error {
	due, flying := l.own.sort(l.back)
	var all []item
	for _, e := range due {
		all = append(all, l.item(e))
	}
	if len(all) > 0 {
		last, err := l.write(l.ctx, l.mends, all)
		if err != nil {
			return err
		}
		l.arrived(last)
	}
	if l.set.Unstored() > len(flying) {
		return l.repairMore(flying)
	}
	l.lacking.Store(false)
	return nil
}

func (l *List) repairMore(flying map[markset.Entry]bool) error {
	if l.set.Unstored() <= fewMissing {
		return l.pushMissing(flying, func() error { return nil })
	}
	l.pause(around(hurry / 4))
	held, err := l.lease(l.keys.repair)
	if err != nil {
		return err
	}
	if !held {
		l.pause(around(hurry / 2)) // somebody else is at it, and the tail brings it
		l.kick()
		return nil
	}
	defer l.giveBack(l.keys.repair)
	return l.pushMissing(flying, func() error { return l.keep(l.keys.repair) })
}

// back reports whether a mark has come back with the log.
func (l *List) back(e markset.Entry) bool { return l.set.Add(e, false) }

func (l *List) item(e markset.Entry) item { return item{Entry: e, note: l.notes.get(e)} }

// pushMissing writes what the log lacks, a call at a time, and waits for it to come
// back.
func (l *List) pushMissing(flying map[markset.Entry]bool, between func() error) error {
	var batch []item
	var last tip
	pushed := 0
	push := func() (err error) {
		if last, err = l.write(l.ctx, l.mends, batch); err != nil {
			return err
		}
		pushed += len(batch)
		batch = batch[:0]
		return between()
	}
	for e := range l.set.Missing() {
		if flying[e] {
			continue
		}
		if batch = append(batch, l.item(e)); len(batch) == perCall*perRecord {
			if err := push(); err != nil {
				return err
			}
		}
	}
	if len(batch) > 0 {
		if err := push(); err != nil {
			return err
		}
	}
	if pushed == 0 {
		l.set.Sweep() // all that was missing is over
	} else {
		l.config.Log.Info("redislist: marks written back", "marks", pushed)
		l.arrived(last)
	}
	l.lacking.Store(false)
	return nil
}

var errLease = errors.New("the lease went to another node")

// lease takes a lease, which others wait for.
func (l *List) lease(key string) (held bool, err error) {
	return call(l.ctx, l, l.mends, time.Second, func(ctx context.Context) (bool, error) {
		err := l.client.SetArgs(ctx, key, l.node, redis.SetArgs{Mode: "NX", TTL: leaseTime}).Err()
		if errors.Is(err, redis.Nil) {
			return false, nil
		}
		return err == nil, err
	})
}

func (l *List) keep(key string) error {
	v, err := call(l.ctx, l, l.mends, time.Second, func(ctx context.Context) (any, error) {
		return renew.Run(ctx, l.client, []string{key}, l.node, leaseTime.Milliseconds()).Result()
	})
	if err == nil && number(v) == 0 {
		return errLease
	}
	return err
}

func (l *List) giveBack(key string) {
	call(l.ctx, l, l.mends, time.Second, func(ctx context.Context) (any, error) {
		return release.Run(ctx, l.client, []string{key}, l.node).Result()
	})
}
