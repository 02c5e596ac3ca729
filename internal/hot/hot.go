// Package hot keeps what was made of the tokens that were seen a moment ago.
//
// A [Cache] holds only what its user puts in, and the user puts in nothing that
// failed. It bounds its memory, forgets what was not asked for lately, and tells
// nobody whether a token is still good: that is asked on every hit.
//
// Once it is full it takes a token only when it is added for the second time within
// about as many others as it has room for. So what comes once, or more sessions than
// it can hold by turns, costs hardly more than without a cache, and what it holds
// stays.
package hot

import (
	"fmt"
	"hash/maphash"
	"io"
	"sync"
	"sync/atomic"
)

// A Cache maps a token, whole, and who made something of it to what was made.
// Readers take no lock. It is safe for concurrent use; a nil Cache holds nothing.
type Cache struct {
	max    int64
	digest bool
	seed   maphash.Seed

	table atomic.Pointer[table] // nil until the first Add
	size  atomic.Int64          // bytes held, the table included

	mu   sync.Mutex // of all that changes the table's sets, and the size
	hand int        // the slot that the next eviction looks at
}

// New returns a Cache of at most max bytes, or nil if max is not positive. With
// digest it holds the SHA-256 of each token and not the token.
func New(max int, digest bool) *Cache {
	if max <= 0 {
		return nil
	}
	return &Cache{max: int64(max), digest: digest, seed: maphash.MakeSeed()}
}

// Get returns what by made of tok.
func (c *Cache) Get(tok string, by any) (value any, ok bool) {
	if c == nil {
		return nil, false
	}
	t := c.table.Load()
	if t == nil {
		return nil, false
	}
	k := c.key(tok)
	s, i, e := t.find(&k, by)
	if e == nil {
		return nil, false
	}
	s.use(i)
	return e.value, true
}

// Add has Get return value, which takes size bytes, until room is needed. While there
// is none it leaves out what was not added before, a moment ago, and it always leaves
// out what would take more than a seventh of the cache.
func (c *Cache) Add(tok string, by, value any, size int) {
	if c == nil {
		return
	}
	k := c.key(tok)
	need := k.need(size)
	if size < 0 || need < 0 || need > c.max/ways {
		return
	}
	if t := c.table.Load(); t != nil && !c.admits(t, &k, by, need) {
		return // before anything is allocated
	}
	e := newEntry(&k, by, value, size)
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.table.Load()
	if t == nil {
		t = newTable(c.max, c.digest)
		c.size.Add(t.bytes())
		c.table.Store(t)
	}
	s, i := t.place(&k, by)
	c.put(s, i, nil)
	c.shrink(t.sets, c.max-e.size)
	if c.size.Load()+e.size <= c.max {
		c.put(s, i, e)
		s.use(i) // until the hand has come by, or what nobody uses would outlive it
	}
}

// admits reports whether the key may come in: if it is in, if nothing has to go for
// it, or if it was turned away a moment ago.
func (c *Cache) admits(t *table, k *key, by any, need int64) bool {
	if c.size.Load()+need <= c.max && t.free(k) {
		return true
	}
	if _, _, e := t.find(k, by); e != nil {
		return true
	}
	return t.door.admits(k.hash)
}

// Size returns how many bytes are held, about.
func (c *Cache) Size() int {
	if c == nil {
		return 0
	}
	return int(c.size.Load())
}

// Format prints a placeholder, whatever the verb.
func (*Cache) Format(f fmt.State, _ rune) { io.WriteString(f, "hot.Cache(redacted)") }
