package keys

import (
	"sync"

	"github.com/carnet-go/carnet/internal/hot"
	"github.com/carnet-go/carnet/token"
)

// defaultCache is room for about 15,000 sessions with little data.
const defaultCache = 32 << 20

// caching is how a ring remembers tokens. What is remembered belongs to one table
// of keys and is gone with it, so no token outlives its key here.
type caching struct {
	mu     sync.Mutex // of the fields, and of replacing a ring's table
	max    int        // bytes; zero means the default, negative none
	digest bool
}

// start gives a table its empty cache.
func (c *caching) start(t *table) {
	max := c.max
	if max == 0 {
		max = defaultCache
	}
	t.cache.Store(hot.New(max, c.digest))
}

func (l *live[S]) setCache(change func(*caching)) {
	if l == nil {
		return // nothing was opened into it
	}
	l.caching.mu.Lock()
	defer l.caching.mu.Unlock()
	change(&l.caching)
	if t := l.current(); t != nil {
		l.caching.start(t)
	}
}

// limit is SetCache's max as the field has it.
func limit(max int) int {
	if max <= 0 {
		return -1
	}
	return max
}

// openOnce opens a token, unless that was done a moment ago with the keys that the
// table has.
func (t *table) openOnce(tok string, b token.Binding, by any, believe func(token.Claims) (any, int, error)) (any, error) {
	if t == nil {
		return nil, errNotOpened
	}
	cache := t.cache.Load()
	if v, ok := cache.Get(tok, by); ok {
		return v, nil
	}
	c, err := t.open(tok, b)
	if err != nil {
		return nil, err
	}
	v, size, err := believe(c)
	if err != nil {
		return nil, err
	}
	cache.Add(tok, by, v, size)
	return v, nil
}

// SetCache bounds the memory in which tokens that were verified a moment ago are
// kept, with their sessions, so that the next request with one costs no
// cryptography. max is in bytes, 32 MiB if it was never set; zero or less turns
// the cache off. What it holds is dropped. Once it is full, a token comes in with its
// second request, in the place of one that was not used lately: tokens that come once
// don't drive out those in use.
//
// The expiry of a token is asked on every hit, and so is whether the ring still
// has its key: each reload starts with an empty cache. Only a token that is the
// same to the last byte is a hit. Who can read the memory of the process finds
// tokens that are good there; see CacheDigests.
func (l *live[S]) SetCache(max int) {
	l.setCache(func(c *caching) { c.max = limit(max) })
}

// CacheDigests has the cache hold the SHA-256 of each token in its place, which
// is of no use to a thief. It does not clear the claims and the session data from
// memory, and costs each request about a microsecond, or two if the token is large.
// What the cache holds is dropped, but a session that was handed out before keeps its
// token in memory, so call it first. There is no way back, and SetCache leaves it.
func (l *live[S]) CacheDigests() {
	l.setCache(func(c *caching) { c.digest = true })
}

// OpenOnce is Open for a [token.Verifier], which gives it what it makes of the
// claims to keep. See SetCache. Whoever is by always comes with the same Binding: what
// is kept is for the token and him. What is returned is shared by all who ask.
func (l *live[S]) OpenOnce(tok string, b token.Binding, by any, believe func(token.Claims) (v any, size int, err error)) (v any, err error) {
	v, err = l.current().openOnce(tok, b, by, believe)
	if err == ErrUnknownKey {
		l.want() // it may be one that was published a moment ago
	}
	return v, err
}

// CheckKey returns the error that a token is refused with because of its key alone:
// one that wraps [token.ErrInvalid] if the ring has not got it, or not any more. It
// looks at nothing else, so it is only for a token that was opened before.
func (l *live[S]) CheckKey(tok string) error {
	_, err := l.current().find(tok)
	return err
}

// hold makes snap the ring's.
func (l *live[S]) hold(snap *S) {
	l.caching.mu.Lock()
	defer l.caching.mu.Unlock()
	l.caching.start(l.table(snap))
	l.snap.Store(snap)
}
