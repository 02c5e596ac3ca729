package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/carnet-go/carnet/keys/keystore"
)

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
	if r != l.last && shared.Report(ctx, r) == nil { // it repeats it, and one that is away is told of by load
		l.last, l.last.Sealed = r, 0
	}
}
