package hot

import (
	"crypto/sha256"
	"hash/maphash"
	"unsafe"
)

// A key is what a token is looked up by.
type key struct {
	hash   uint64
	tok    string
	digest bool // the entries have that in its place
}

// key hashes a piece out of the middle, which is ciphertext in all our tokens
// and so differs; the whole token is compared anyway.
func (c *Cache) key(tok string) key {
	const piece = 32
	mid := tok
	if len(tok) > piece {
		at := (len(tok) - piece) / 2
		mid = tok[at : at+piece]
	}
	return key{maphash.String(c.seed, mid), tok, c.digest}
}

func tag(hash uint64) byte { return byte(hash >> 56) }

func (k *key) tag() byte { return tag(k.hash) }

// is looks at the token last, which is the most to read.
func (k *key) is(e *entry, by any) bool {
	if e.hash != k.hash || e.by != by {
		return false
	}
	if k.digest {
		sum := k.sum()
		return e.is(string(sum[:]))
	}
	return e.is(k.tok)
}

// sum digests the bytes where they are: nobody writes to them, and a copy would cost
// more than the hash.
func (k *key) sum() [sha256.Size]byte {
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(k.tok), len(k.tok)))
}

// kept returns what an entry has of the token.
func (k *key) kept() string {
	if k.digest {
		sum := k.sum()
		return string(sum[:])
	}
	return k.tok
}

// need is what an entry will take, or a little more: what the allocator makes of it is
// not known before, but its sizes are less than a fifth apart. Were it less, the entry
// could have another dropped that nobody had asked the door about.
func (k *key) need(size int) int64 {
	n := len(k.tok)
	if k.digest {
		n = sha256.Size
	}
	whole := int64(n) + int64(size)
	return int64(unsafe.Sizeof(entry{})) + whole + whole/5 + 16
}
