package keys

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carnet-go/carnet/keys/keystore"
	"github.com/carnet-go/carnet/token"
)

const (
	// rereadEvery is how often the document is read whether the store notices
	// changes or not.
	rereadEvery = time.Minute

	// wantedEvery is how often tokens with unknown keys can have it read. Anybody
	// can send such tokens.
	wantedEvery = time.Second
)

// live is a snapshot that follows its store.
type live[S any] struct {
	what    string // for errors
	kind    string // of document
	src     Source
	parse   func(*ringDocument, *S) (*S, error) // the snapshot before may be nil
	table   func(*S) *table
	sealed  func(*S) (kid string, n uint64) // nil for a ring that can't mint
	snap    atomic.Pointer[S]
	health  atomic.Pointer[health]
	telling telling
	wanted  chan struct{}
	caching caching
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu     sync.Mutex // one load at a time
	doc    []byte     // that the snapshot is from
	sum    string     // of the ring in it
	behind int        // loads in a row that found the store behind the snapshot

	reported count           // tokens that the other nodes know of
	last     keystore.Report // that the store has taken
}

// open loads the ring and begins to follow it.
func (l *live[S]) open(ctx context.Context) error {
	l.wanted = make(chan struct{}, 1)
	if err := l.load(ctx); err != nil {
		return err
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	changed := make(chan struct{}, 1)
	l.done.Go(func() { l.watch(ctx, changed) })
	l.done.Go(func() { l.follow(ctx, changed) })
	return nil
}

// Close ends the following of the store. The ring goes on with the keys it has.
func (l *live[S]) Close() error {
	if l != nil && l.stop != nil {
		l.stop()
		l.done.Wait()
	}
	return nil
}

// Reload reads the ring again, now. If that fails it goes on with the keys it has,
// and the error says why. There is no need to call it: a ring follows its store.
func (l *live[S]) Reload() error {
	if l == nil || l.wanted == nil {
		return errors.New("reload key ring: it was not opened from a store")
	}
	return l.load(context.Background())
}

// Generation returns the generation of the set that the ring has now. It is zero
// for a ring that nothing was opened into.
func (l *live[S]) Generation() uint64 {
	if t := l.current(); t != nil {
		return t.generation
	}
	return 0
}

// current is where the keys of tokens are found now. It is nil for a ring that
// nothing was opened into.
func (l *live[S]) current() *table {
	if snap := l.now(); snap != nil {
		return l.table(snap)
	}
	return nil
}

// now is the snapshot, or nil.
func (l *live[S]) now() *S {
	if l == nil {
		return nil
	}
	return l.snap.Load()
}

// Age is how long ago the store last confirmed that it has this ring and no newer
// one. It stays below about a minute while all is well, and grows while the store
// is away or has something that is refused. It is zero for a ring that lives in
// memory only.
func (l *live[S]) Age() time.Duration {
	if l == nil {
		return 0
	}
	if h := l.health.Load(); h != nil {
		return time.Since(h.confirmed)
	}
	return 0
}

// Problem returns what keeps the ring from following its store, or nil. The keys
// that it has go on working.
func (l *live[S]) Problem() error {
	if l == nil {
		return errNotOpened
	}
	if h := l.health.Load(); h != nil {
		return h.problem()
	}
	return nil
}

// Open returns the claims of a token that any key of the ring sealed, unless the
// key is revoked. See [token.Opener]; issuer, audience and times are left to the
// caller.
func (l *live[S]) Open(tok string, b token.Binding) (token.Claims, error) {
	c, err := l.current().open(tok, b)
	if err == ErrUnknownKey {
		l.want() // it may be one that was published a moment ago
	}
	return c, err
}
