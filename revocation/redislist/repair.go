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

// write appends items to the log and returns when Redis has them. Those are
// counted as stored if the log is still the one that this node reads.
func (l *List) write(ctx context.Context, s slots, all []item) (epoch string, err error) {
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
			return "", err
		}
		if f, ok := v.([]any); ok && len(f) == 2 {
			epoch, _ = f[0].(string)
		}
		l.stored(epoch, all[:count])
		all, records = all[count:], records[n:]
	}
	return epoch, nil
}

// stored counts items as stored that Redis has in that epoch.
func (l *List) stored(epoch string, all []item) {
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	if l.chain.epoch != epoch {
		return
	}
	for _, i := range all {
		if !i.undo {
			l.set.Add(i.Entry, true)
		}
	}
}

// repair writes back what the log lacks: first what this node took in itself, as
// nobody else may have it, then the rest, by one node at a time.
func (l *List) repair() error {
	if err := l.pushOwn(); err != nil {
		return err
	}
	n := l.set.Unstored()
	if n == 0 {
		return nil
	}
	if n <= fewMissing {
		return l.pushMissing(func() error { return nil })
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
	if n = l.set.Unstored(); n == 0 {
		return nil
	}
	l.config.Log.Info("redislist: writing marks back", "marks", n)
	return l.pushMissing(func() error { return l.keep(l.keys.repair) })
}

// pushOwn writes the marks that this node took in lately and Redis has not
// confirmed.
func (l *List) pushOwn() error {
	var all []item
	l.own.each(func(e markset.Entry) {
		if !l.set.Add(e, false) {
			all = append(all, l.item(e))
		}
	})
	if len(all) == 0 {
		return nil
	}
	_, err := l.write(l.ctx, l.mends, all)
	return err
}

func (l *List) item(e markset.Entry) item { return item{Entry: e, note: l.notes.get(e)} }

// pushMissing writes what the log lacks, a call at a time.
func (l *List) pushMissing(between func() error) error {
	var batch []item
	pushed := 0
	push := func() error {
		if _, err := l.write(l.ctx, l.mends, batch); err != nil {
			return err
		}
		pushed += len(batch)
		batch = batch[:0]
		return between()
	}
	for e := range l.set.Missing() {
		if batch = append(batch, l.item(e)); len(batch) == perCall*perRecord {
			if err := push(); err != nil {
				return err
			}
		}
	}
	if len(batch) > 0 {
		return push()
	}
	if pushed == 0 {
		l.set.Sweep() // all that was missing is over
	}
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
