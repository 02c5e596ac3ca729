package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
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

	reported count // tokens that the other nodes know of
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

// want asks for the ring to be read again. It never waits.
func (l *live[S]) want() {
	select {
	case l.wanted <- struct{}{}:
	default: // asked already, or it has no store
	}
}

// watch turns the changes that the store notices into one waiting load.
func (l *live[S]) watch(ctx context.Context, changed chan<- struct{}) {
	for {
		err := l.src.store().Watch(ctx, func() {
			l.note(func(h *health) { h.watching = nil })
			l.tell()
			select {
			case changed <- struct{}{}:
			default:
			}
		})
		if ctx.Err() != nil {
			return
		}
		l.note(func(h *health) { h.watching = fmt.Errorf("follow %s: %w", l.what, err) })
		l.tell()
		if !sleep(ctx, keystore.Jitter(rereadEvery)) {
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (l *live[S]) follow(ctx context.Context, changed <-chan struct{}) {
	wanted, again := l.wanted, (<-chan time.Time)(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-time.After(keystore.Jitter(rereadEvery)):
		case <-wanted:
			wanted, again = nil, time.After(wantedEvery)
		case <-again:
			wanted, again = l.wanted, nil
			continue
		}
		l.load(ctx) // which tells of what goes wrong
	}
}

// load reads the document and swaps the snapshot if it is a newer one.
func (l *live[S]) load(ctx context.Context) error {
	defer l.tell()
	l.mu.Lock()
	defer l.mu.Unlock()
	doc, err := l.src.store().Load(ctx)
	if err != nil {
		err = fmt.Errorf("open %s: %w", l.what, err)
	} else if l.doc == nil || !bytes.Equal(doc, l.doc) {
		err = l.take(doc)
	}
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	if err != nil {
		l.restore(ctx, doc, err)
		l.note(func(h *health) { h.loading = err })
		return err
	}
	l.behind = 0
	l.note(func(h *health) { h.loading, h.confirmed = nil, time.Now() })
	l.report(ctx)
	return nil
}

// take swaps the snapshot for the one in a document.
func (l *live[S]) take(doc []byte) error {
	_, r, err := unseal(doc, l.src.Key, l.kind)
	old := l.snap.Load()
	var next *S
	if err == nil {
		next, err = l.parse(&r, old)
	}
	if err == nil && old != nil {
		err = l.table(old).succeededBy(l.table(next), l.sum == r.sum)
	}
	if err != nil {
		return fmt.Errorf("open %s %s: %w", l.what, l.src.store(), err)
	}
	l.doc, l.sum = doc, r.sum
	l.hold(next)
	return nil
}

// errBehind is a store that has an older generation than a ring.
var errBehind = errors.New("it went back")

// confirmations is how many loads in a row must find a shared store behind before
// a node puts its own document back. One may come from a replica that lags.
const confirmations = 2

// restore gives a shared store that forgot the ring, or that a failover threw
// back, the newest document that this node knows. A file is left to the operator.
func (l *live[S]) restore(ctx context.Context, found []byte, err error) {
	shared, ok := l.src.store().(keystore.Shared)
	if !ok || l.doc == nil || !errors.Is(err, errBehind) && !errors.Is(err, fs.ErrNotExist) {
		l.behind = 0
		return
	}
	if l.behind++; l.behind < confirmations {
		l.want()
		return
	}
	if err := shared.Save(ctx, found, l.doc); err == nil {
		l.behind = 0
	}
	l.want() // to confirm it
}

// report tells the other nodes what this one has.
func (l *live[S]) report(ctx context.Context) {
	shared, ok := l.src.store().(keystore.Shared)
	if !ok || l.stop == nil {
		return
	}
	r := keystore.Report{Generation: l.Generation(), VerifyOnly: l.sealed == nil}
	if l.sealed != nil {
		var n uint64
		if r.Key, n = l.sealed(l.snap.Load()); r.Key != l.reported.key {
			l.reported = count{key: r.Key}
		}
		r.Sealed, l.reported.n = n-l.reported.n, n
	}
	shared.Report(ctx, r) // it repeats it, and a store that is away is told of by load
}
