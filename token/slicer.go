package token

import (
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// A slice is one of any type, as the runtime has it.
type slice struct {
	data     unsafe.Pointer
	len, cap int
}

// A slicer clones a slice that is within a value, at the offset. It returns the clone, as
// a pointer to the new value would move that to the heap.
type slicer struct {
	offset uintptr
	clone  func(*slice) slice
}

// slicersOf returns the slicers of a type that has a copier, or nil if more has to be
// copied than slices and their elements. Most session data has no more.
func slicersOf(t reflect.Type, offset uintptr) (all []slicer) {
	switch t.Kind() {
	case reflect.Slice:
		if element, _ := copierOf(t.Elem(), nil); element == nil {
			return []slicer{{offset, slicerOf(t)}}
		}
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if c, _ := copierOf(f.Type, nil); c == nil {
				continue
			}
			some := slicersOf(f.Type, offset+f.Offset)
			if some == nil {
				return nil
			}
			all = append(all, some...)
		}
	}
	return all
}

func slicerOf(t reflect.Type) func(*slice) slice {
	switch t {
	case reflect.TypeFor[[]string]():
		return cloned[string]
	case reflect.TypeFor[[]byte]():
		return cloned[byte]
	}
	pairs := sync.Pool{New: func() any { return newPair(t) }}
	return func(s *slice) slice {
		p := pairs.Get().(*pair)
		mine := p.clone(s)
		pairs.Put(p)
		return mine
	}
}

// cloned is for types that are met often, in half the time.
func cloned[E any](s *slice) slice {
	c := slices.Clone(*(*[]E)(unsafe.Pointer(s)))
	return *(*slice)(unsafe.Pointer(&c))
}

// A pair is two slices of a type, which reflection can copy one to the other.
type pair struct {
	at       *[2]slice
	from, to reflect.Value
}

func newPair(t reflect.Type) *pair {
	p := reflect.New(reflect.ArrayOf(2, t))
	return &pair{(*[2]slice)(p.UnsafePointer()), p.Elem().Index(0), p.Elem().Index(1)}
}

func (p *pair) clone(s *slice) slice {
	if s.len == 0 {
		return slice{data: s.data} // nil stays nil, and no other becomes it
	}
	p.at[0] = *s
	p.to.Grow(s.len)
	p.to.SetLen(s.len)
	reflect.Copy(p.to, p.from)
	mine := p.at[1]
	*p.at = [2]slice{} // or the next would find it
	return mine
}
