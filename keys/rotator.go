package keys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carnet-go/carnet/keys/keystore"
)

// AES-GCM with random nonces is good for 2^32 messages under one key (NIST SP
// 800-38D section 8.3). Keys of PASETO have no such bound: their nonces have 256
// bits.
const (
	maxSealed = 1 << 32

	// rotateFleet is when the tokens that all nodes report make a rotation due:
	// half of the bound, because reports come late.
	rotateFleet = maxSealed / 2

	// rotateAlone is the same for a process that does not know of the others: it
	// leaves room for 256 that mint.
	rotateAlone = rotateFleet / 256
)

// A Rotator rotates a ring by policy in a long-running process, and prunes it. Any
// number may run, in any number of processes: each rotation is made by one of them.
type Rotator struct {
	// Ring is what is rotated, in the store that it was opened from, which must be
	// one that can be written to.
	Ring *Ring

	// Every is the age at which the active key is replaced. Zero means 24 hours.
	// It must be longer than the ring's Spread.
	//
	// A JWT key is replaced earlier if so many tokens were sealed with it that the
	// bound of AES-GCM comes near: 2^31 by all nodes if the store knows, see
	// [keystore.Shared], and 2^23 by this process if it does not.
	Every time.Duration

	// Report is told of each rotation and each pruning (with a nil error), and at each
	// look, which is every 1 to 60 seconds, of what keeps one from
	// being made: a store that is away, [ErrTooSoon] for a node that lags or a clock
	// that is ahead. Nil means that nobody wants to know; the ring has the record.
	Report func(generation uint64, err error)
}

// Run rotates and prunes until ctx is done, and returns its error. It returns
// another one at once if it can't work.
func (r Rotator) Run(ctx context.Context) error {
	if r.Every == 0 {
		r.Every = 24 * time.Hour
	}
	if r.Ring == nil || r.Ring.wanted == nil {
		return errors.New("rotate by policy: the ring was not opened from a store")
	}
	if spread := r.Ring.Set().Policy().Spread; r.Every <= spread {
		return fmt.Errorf("rotate by policy: every %v is too often for a ring that takes %v to reach every node", r.Every, spread)
	}
	if r.Report == nil {
		r.Report = func(uint64, error) {}
	}
	for sleep(ctx, keystore.Jitter(r.interval())) {
		r.step(ctx)
	}
	return ctx.Err()
}

// interval is how often it is looked whether something is due.
func (r Rotator) interval() time.Duration {
	return min(max(r.Every/100, time.Second), time.Minute)
}

// step looks at the ring that this process follows, and only touches the store if
// something is due.
func (r Rotator) step(ctx context.Context) {
	sealed, err := r.sealed(ctx)
	if err != nil {
		r.Report(0, fmt.Errorf("rotate by policy: %w", err))
	}
	if set := r.Ring.Set(); r.due(set, sealed) {
		r.edit(ctx, "rotate by policy", func(set *Set) (*Set, error) {
			if !r.due(set, sealed) {
				return set, nil // another one was faster
			}
			if err := r.Ring.src.refuseLag(ctx, set); err != nil {
				return nil, err
			}
			return set.Rotate("", false)
		})
	}
	if prunable(r.Ring.Set()) {
		r.edit(ctx, "prune by policy", func(set *Set) (*Set, error) {
			if err := r.Ring.src.refuseClock(ctx); err != nil {
				return nil, err
			}
			return set.Prune(false)
		})
	}
}

func (r Rotator) edit(ctx context.Context, what string, change func(*Set) (*Set, error)) {
	before := r.Ring.Generation()
	set, err := r.Ring.src.Edit(ctx, change)
	switch {
	case errors.Is(err, keystore.ErrConflict):
		return // another look later, with the ring as it is then
	case err != nil:
		r.Report(0, fmt.Errorf("%s: %w", what, err))
		return
	}
	if err := r.Ring.Reload(); err != nil {
		r.Report(0, err)
	}
	if set.generation > before {
		r.Report(set.generation, nil)
	}
}

// due reports whether the active key is to be replaced. The count is of the key
// that was active when it was made.
func (r Rotator) due(s *Set, sealed count) bool {
	k := s.in(active)
	return !time.Now().Before(k.ActivatedAt.Add(r.Every)) || k.ID == sealed.key && sealed.n >= sealed.limit
}

func prunable(s *Set) bool {
	for _, k := range s.keys {
		if at := s.PrunableAt(k.Key); !at.IsZero() && !time.Now().Before(at) {
			return true
		}
	}
	return false
}

// A count is of the tokens sealed with a key.
type count struct {
	key      string
	n, limit uint64
}

// sealed counts the tokens of the active key. Without an answer of the store it
// falls back on those of this process.
func (r Rotator) sealed(ctx context.Context) (count, error) {
	snap := r.Ring.snap.Load()
	k := snap.set.in(active)
	if k.Format != JWT {
		return count{}, nil
	}
	c := count{k.ID, snap.sealed.Load(), rotateAlone}
	shared, ok := r.Ring.src.store().(keystore.Shared)
	if !ok {
		return c, nil
	}
	n, err := shared.Sealed(ctx, k.ID)
	if err != nil {
		return c, err
	}
	return count{k.ID, max(n, c.n), rotateFleet}, nil
}
