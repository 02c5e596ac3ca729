package hot

import (
	"crypto/sha256"
	"hash/maphash"
	"unsafe"
)

// A key is what a token is looked up by.
type key struct {
	hash uint64
	tok  string // or its digest
}

// key hashes a piece out of the middle, which is ciphertext in all our tokens
// and so differs; the whole token is compared anyway.
func (c *Cache) key(tok string, sum *[sha256.Size]byte) key {
	if c.digest {
		// Nobody writes to these bytes, and a copy would cost more than the hash.
		*sum = sha256.Sum256(unsafe.Slice(unsafe.StringData(tok), len(tok)))
		tok = unsafe.String(&sum[0], len(sum))
	}
	const piece = 32
	mid := tok
	if len(tok) > piece {
		at := (len(tok) - piece) / 2
		mid = tok[at : at+piece]
	}
	return key{maphash.String(c.seed, mid), tok}
}

func (k *key) tag() byte { return byte(k.hash >> 56) }

func (k *key) in(sets []set) *set { return &sets[k.hash&uint64(len(sets)-1)] }

func (k *key) is(e *entry, by any) bool { return e.hash == k.hash && e.tok == k.tok && e.by == by }
