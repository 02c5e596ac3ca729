package refresh

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// forgotten is a genuine token of which the store does not know whether it was used.
type forgotten struct{}

func (forgotten) Error() string {
	return fmt.Sprintf("%v: the store has forgotten its session", token.ErrInvalid)
}

func (forgotten) Unwrap() error { return token.ErrInvalid }

// Reason is the word for it in logs and counters.
func (forgotten) Reason() string { return "forgotten" }

// A store is to answer in storeTimeout. A revocation may wait for as long as a list
// takes to fail over.
const (
	storeTimeout  = 3 * time.Second
	revokeTimeout = 10 * time.Second
)

// forgetAfter is how long after its end a session may still be believed.
const forgetAfter = 5 * time.Minute

func (t *Tokens[T]) put(ctx context.Context, c *token.Claims) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return t.config.Store.Put(ctx, c.SessionID, c.Revision, c.EndsAt.Add(forgetAfter))
}

// advance returns the generation that follows the token's.
func (t *Tokens[T]) advance(ctx context.Context, c *token.Claims) (int64, error) {
	generation, err := t.step(ctx, c)
	if !errors.Is(err, ErrUnknown) {
		return generation, err
	}
	if time.Since(c.IssuedAt) > t.config.Access+t.config.Grace {
		return 0, forgotten{}
	}
	if err := t.put(ctx, c); err != nil {
		return 0, err
	}
	return t.step(ctx, c)
}

func (t *Tokens[T]) step(ctx context.Context, c *token.Claims) (int64, error) {
	start := time.Now()
	grace := t.config.Grace
	if grace > 0 {
		grace += t.outage.recent(start, grace)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	generation, err := t.config.Store.Advance(ctx, c.SessionID, c.Revision, grace, c.EndsAt.Add(forgetAfter))
	t.outage.note(start, err == nil || errors.Is(err, ErrReused) || errors.Is(err, ErrUnknown))
	return generation, err
}

// end ends a session whose refresh token came again.
func (t *Tokens[T]) end(ctx context.Context, c token.Claims, reused error) error {
	if err := t.revoke(ctx, c, "a refresh token came again"); err != nil {
		// The store refuses further refreshes. The next one tries again to end
		// the access tokens too.
		return fmt.Errorf("end a session that was stolen: %w", err)
	}
	t.config.Theft(ctx, c)
	return reused
}

func (t *Tokens[T]) revoke(ctx context.Context, c token.Claims, why string) error {
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	next := c
	next.SessionID = c.Successor()
	marks := []revocation.Mark{revocation.Session(c), revocation.Session(next)}
	for i := range marks {
		marks[i].Reason = why
	}
	return t.config.Revocation.Revoke(ctx, marks...)
}

// An outage is the last one of the store, as this process saw it.
type outage struct {
	mu    sync.Mutex
	over  bool
	first time.Time // the start of the first call that failed
	last  time.Time // the end of the last
}

// note records how a call went that began at start.
func (o *outage) note(start time.Time, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case ok:
		o.over = true
		return
	case o.over || o.first.IsZero():
		o.first, o.over = start, false
	}
	o.last = time.Now()
}

// recent returns how long the outage lasted, if it ended no longer ago than d.
func (o *outage) recent(now time.Time, d time.Duration) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first.IsZero() || o.last.Add(d).Before(now) {
		return 0
	}
	return min(o.last.Sub(o.first), maxOutage)
}

// maxOutage bounds by how much the grace is longer.
const maxOutage = time.Hour
