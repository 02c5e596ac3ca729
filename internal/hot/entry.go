package hot

import (
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// An entry has text right behind it, in the same block of memory: the token, or its
// digest, and then what its value has. So all that a hit compares is near together, and
// where the token is needs no look at the entry, which can be far from the processor.
// With what the allocator has before it, it fills a cache line.
type entry struct {
	hash  uint64
	n     int // bytes of the token, or of its digest
	by    any
	value any
	size  int64 // of all this and the value, as the allocator rounds it up
}

const head = int(unsafe.Sizeof(entry{}))

// A Packer is a value that refers to text which can be with its token.
type Packer interface {
	// Text returns how many bytes of it there are.
	Text() int
	// Pack moves it into room, which has that length and is the value's. It returns how
	// many bytes the value takes without it.
	Pack(room []byte) (size int)
}

// newEntry copies the token: what comes in is a part of a whole header. What the
// allocator rounds up to counts: exactly for the block, and as an eighth, which is
// about what its sizes are apart, for the parts of the value.
func newEntry(k *key, by, value any, size int) *entry {
	kept, n := k.kept(), 0
	p, packs := value.(Packer)
	if packs {
		n = p.Text()
	}
	e, taken := newBlock(len(kept) + n)
	e.hash, e.n, e.by, e.value = k.hash, len(kept), by, value
	text := e.text(len(kept) + n)
	copy(text, kept)
	if packs {
		size = p.Pack(text[len(kept):])
	} else {
		size += size / 8
	}
	e.size = int64(taken + size)
	return e
}

// text returns the first n bytes behind the entry.
func (e *entry) text(n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(e), head)), n)
}

func (e *entry) is(kept string) bool { return e.n == len(kept) && string(e.text(e.n)) == kept }

// reserved is what the allocator has before a block that is large and has pointers.
const reserved = 8

// newBlock returns an entry with room for n bytes behind it, and what that takes.
func newBlock(n int) (*entry, int) {
	size := cap(slices.Grow([]byte(nil), reserved+head+n)) // one that the allocator has
	return (*entry)(reflect.New(blockOf(size - reserved)).UnsafePointer()), size
}

// blocks are the types of blocks by size. The allocator has some dozens of sizes for
// what a token needs, so there are no more.
var blocks sync.Map

func blockOf(size int) reflect.Type {
	if t, ok := blocks.Load(size); ok {
		return t.(reflect.Type)
	}
	t := reflect.StructOf([]reflect.StructField{
		{Name: "Entry", Type: reflect.TypeFor[entry]()},
		{Name: "Text", Type: reflect.ArrayOf(size-head, reflect.TypeFor[byte]())},
	})
	blocks.Store(size, t)
	return t
}
