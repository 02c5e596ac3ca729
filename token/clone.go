package token

import (
	"reflect"
	"sync"
	"unsafe"
)

// A cloner copies data so that the copy shares nothing with it that can be changed.
type cloner[T any] struct {
	slices []slicer // all that has to be copied after assigning it; nil if that is more
	copy   copier
	desks  sync.Pool // of *desk[T]
}

// A desk is a place that reflection can write to. A new one for each copy would be one
// more allocation.
type desk[T any] struct {
	value T
	place reflect.Value // of the value
}

// newCloner returns nil for a copier that has nothing to do.
func newCloner[T any](c copier) *cloner[T] {
	if c == nil {
		return nil
	}
	return &cloner[T]{slicersOf(reflect.TypeFor[T](), 0), c, sync.Pool{New: func() any {
		d := new(desk[T])
		d.place = reflect.ValueOf(&d.value).Elem()
		return d
	}}}
}

func (c *cloner[T]) clone(shared *T) T {
	if c.slices == nil {
		return c.reflected(shared)
	}
	mine := *shared
	for i := range c.slices {
		s := &c.slices[i]
		*(*slice)(unsafe.Add(unsafe.Pointer(&mine), s.offset)) = s.clone((*slice)(unsafe.Add(unsafe.Pointer(shared), s.offset)))
	}
	return mine
}

func (c *cloner[T]) reflected(shared *T) T {
	d := c.desks.Get().(*desk[T])
	d.value = *shared
	c.copy(d.place, reflect.ValueOf(shared).Elem())
	mine := d.value
	d.value = *new(T) // or the next would find it
	c.desks.Put(d)
	return mine
}
