package redislist

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// slots bound how many calls of one kind are under way. A call that nobody waits
// for any more keeps its slot until the client gives up.
type slots chan struct{}

func newSlots(n int) slots { return make(slots, n) }

var errBusy = errors.New("too many calls to Redis are waiting for an answer")

// call runs f, and leaves it alone when the time is over: the client of the user
// may not look at deadlines, and never looks at them while it reads. Whatever f
// returns then is dropped.
func call[T any](ctx context.Context, l *List, s slots, limit time.Duration, f func(context.Context) (T, error)) (T, error) {
	var none T
	select {
	case s <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	default:
		if !waitFor(ctx, s, limit) {
			return none, errBusy
		}
	}
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	run := l.begin(func() {
		defer func() { <-s }()
		// The call itself ends with the list, not with whoever asked for it: a
		// client that hung up must not take its logout along.
		ctx, cancel := context.WithTimeout(l.ctx, limit)
		defer cancel()
		v, err := f(ctx)
		done <- answer{v, err}
	})
	if !run {
		<-s
		return none, ErrClosed
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case a := <-done:
		return a.value, a.err
	case <-timer.C:
		return none, context.DeadlineExceeded
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// begin runs f in the background, unless the list is closed.
func (l *List) begin(f func()) bool {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.ctx.Err() != nil {
		return false
	}
	l.wg.Go(f)
	return true
}

func waitFor(ctx context.Context, s slots, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case s <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// script runs a script on the master, and with replicas waits for them as well.
func (l *List) script(ctx context.Context, s *redis.Script, keys []string, replicas int, args ...any) (any, error) {
	if replicas == 0 {
		return s.Run(ctx, l.client, keys, args...).Result()
	}
	on, err := l.master(ctx)
	if err != nil {
		return nil, err
	}
	reply, err := waited(ctx, on, replicas, l.config.Timeout, func(p redis.Pipeliner) *redis.Cmd {
		return s.EvalSha(ctx, p, keys, args...)
	})
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		reply, err = waited(ctx, on, replicas, l.config.Timeout, func(p redis.Pipeliner) *redis.Cmd {
			return s.Eval(ctx, p, keys, args...)
		})
	}
	return reply, err
}

// master returns who takes WAIT together with the write before it: that has no key.
func (l *List) master(ctx context.Context) (redis.Cmdable, error) {
	if c, ok := l.client.(*redis.ClusterClient); ok {
		return c.MasterForKey(ctx, l.keys.log)
	}
	return l.client, nil
}

var errReplicas = errors.New("too few replicas have it")

func waited(ctx context.Context, on redis.Cmdable, replicas int, limit time.Duration, write func(redis.Pipeliner) *redis.Cmd) (any, error) {
	p := on.Pipeline()
	written := write(p)
	have := p.Do(ctx, "WAIT", replicas, (limit * 3 / 4).Milliseconds())
	p.Exec(ctx)
	reply, err := written.Result()
	if err != nil {
		return nil, err
	}
	n, err := have.Int()
	if err == nil && n < replicas {
		err = errReplicas
	}
	return reply, err
}

// A reloader makes a cluster client look where the slots are. It does so by itself
// once a minute, and not when a master is gone.
type reloader struct {
	mu   sync.Mutex
	last time.Time
}

// failed is called with each error of Redis.
func (l *List) failed(err error) {
	c, ok := l.client.(interface{ ReloadState(context.Context) })
	if !ok || err == nil || errors.Is(err, context.Canceled) {
		return
	}
	l.reload.mu.Lock()
	defer l.reload.mu.Unlock()
	if time.Since(l.reload.last) > hurry {
		l.reload.last = time.Now()
		c.ReloadState(l.ctx)
	}
}

// pause reports whether the list still runs after that time.
func (l *List) pause(d time.Duration) bool { return pause(l.ctx, d) }

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// around returns d, a quarter more or less, so that nodes don't march in step.
func around(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2)
}
