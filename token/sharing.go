package token

import (
	"encoding"
	"math/bits"
	"reflect"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// A sharing says how session data that was decoded once can be handed out again,
// so that no request can change it under the feet of another.
type sharing struct {
	unread bool   // there is none: struct{} takes any data, and none of it is looked at
	afresh bool   // decode it again
	copy   copier // after assigning it; nil if that is enough
}

// A copier has dst, which was assigned from src, share nothing with it that can
// be changed. Both can be set.
type copier func(dst, src reflect.Value)

func sharingOf(t reflect.Type) sharing {
	if t.Kind() == reflect.Struct && t.NumField() == 0 && !decodesItself(t) {
		return sharing{unread: true}
	}
	c, ok := copierOf(t, nil)
	return sharing{copy: c, afresh: !ok}
}

// decodesItself reports whether a method has a say in what data the type takes.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[interface{ UnmarshalJSON([]byte) error }]()) ||
		p.Implements(reflect.TypeFor[json.UnmarshalerFrom]()) ||
		p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// copierOf returns nil if values of the type refer to nothing that can be
// changed. It reports false if they may and can't be copied: a field is not
// exported, the type says too little, values may form a circle, or a method of the
// type may have made two references to one thing, which a copy would part.
func copierOf(t reflect.Type, within []reflect.Type) (c copier, ok bool) {
	if slices.Contains(within, t) {
		return nil, false
	}
	within = append(within, t)
	c, ok = copierOfKind(t, within)
	if c == nil || !decodesItself(t) {
		return c, ok
	}
	if t.Kind() == reflect.Slice {
		if element, _ := copierOf(t.Elem(), within); element == nil {
			return c, ok // as json.RawMessage
		}
	}
	return nil, false
}

func copierOfKind(t reflect.Type, within []reflect.Type) (c copier, ok bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return copierOfMany(t, within)
	case reflect.Struct:
		return copierOfStruct(t, within)
	case reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return nil, false
	}
	return nil, true
}

func copierOfMany(t reflect.Type, within []reflect.Type) (copier, bool) {
	element, ok := copierOf(t.Elem(), within)
	if !ok {
		return nil, false
	}
	switch t.Kind() {
	case reflect.Pointer:
		return element.pointer, true
	case reflect.Slice:
		switch t {
		case reflect.TypeFor[[]string]():
			return cloneSlice[string], true
		case reflect.TypeFor[[]byte]():
			return cloneSlice[byte], true
		}
		return element.slice, true
	case reflect.Map:
		key, ok := copierOf(t.Key(), within)
		return element.entries, ok && key == nil
	}
	if element == nil {
		return nil, true
	}
	return element.elements, true
}

func copierOfStruct(t reflect.Type, within []reflect.Type) (copier, bool) {
	if t == reflect.TypeFor[time.Time]() {
		return nil, true // what it points to can't be changed
	}
	type field struct {
		index int
		copier
	}
	var fields []field
	for i := range t.NumField() {
		c, ok := copierOf(t.Field(i).Type, within)
		if !ok || c != nil && !t.Field(i).IsExported() {
			return nil, false
		}
		if c != nil {
			fields = append(fields, field{i, c})
		}
	}
	if len(fields) == 0 {
		return nil, true
	}
	return func(dst, src reflect.Value) {
		for _, f := range fields {
			f.copier(dst.Field(f.index), src.Field(f.index))
		}
	}, true
}

func (c copier) pointer(dst, src reflect.Value) {
	if src.IsNil() {
		return
	}
	dst.Set(reflect.New(src.Type().Elem()))
	dst.Elem().Set(src.Elem())
	if c != nil {
		c(dst.Elem(), src.Elem())
	}
}

// cloneSlice is slice for a type that is met often, in less than half the time.
func cloneSlice[E any](dst, src reflect.Value) {
	*dst.Addr().Interface().(*[]E) = slices.Clone(*src.Addr().Interface().(*[]E))
}

func (c copier) slice(dst, src reflect.Value) {
	if src.IsNil() {
		return
	}
	n := src.Len()
	dst.SetZero()
	dst.Grow(n) // MakeSlice would allocate twice
	dst.SetLen(n)
	if n == 0 {
		dst.Set(reflect.MakeSlice(src.Type(), 0, 0)) // not nil
	}
	reflect.Copy(dst, src)
	if c != nil {
		c.elements(dst, src)
	}
}

func (c copier) elements(dst, src reflect.Value) {
	for i := range src.Len() {
		c(dst.Index(i), src.Index(i))
	}
}

func (c copier) entries(dst, src reflect.Value) {
	if src.IsNil() {
		return
	}
	dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
	place := func(t reflect.Type) reflect.Value { return reflect.New(t).Elem() }
	key, was, is := place(src.Type().Key()), place(src.Type().Elem()), place(src.Type().Elem())
	for entries := src.MapRange(); entries.Next(); {
		key.SetIterKey(entries) // Key would allocate each
		was.SetIterValue(entries)
		is.Set(was)
		if c != nil {
			c(is, was)
		}
		dst.SetMapIndex(key, is)
	}
}

// mapSize is how many bytes a map takes besides its entries, about.
const mapSize = 56

// entriesSize returns how many bytes a map of the type with n entries, one or more, has
// for them: a group of eight, or a table that is a power of two and at most seven
// eighths full.
func entriesSize(t reflect.Type, n int) int {
	room, table := 8, 0
	if n > room {
		room, table = 1<<bits.Len(uint(n*8-1)/7), mapSize
	}
	align := max(t.Key().Align(), t.Elem().Align())
	entry := int(t.Key().Size()+max(t.Elem().Size(), 1)) + align - 1
	return table + room*(entry/align*align+1) // and a byte that says whether it is there
}

// allocated is what the allocator makes of n bytes at least. With the eighth that is left
// for the rest of what it makes of them, small texts count as what they take.
func allocated(n int) int { return (n + 7) &^ 7 }

// footprint returns about how many bytes v refers to. Only types that have a
// copier are asked about, so it ends.
func footprint(v reflect.Value) int {
	n := 0
	switch v.Kind() {
	case reflect.String:
		return allocated(v.Len())
	case reflect.Pointer:
		// A time refers to its zone, and that of the machine is there once.
		if !v.IsNil() && v.UnsafePointer() != reflect.ValueOf(time.Local).UnsafePointer() {
			return int(v.Type().Elem().Size()) + footprint(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			n += footprint(v.Index(i))
		}
		if v.Kind() == reflect.Slice {
			n += allocated(v.Cap() * int(v.Type().Elem().Size()))
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			n += footprint(entries.Key()) + footprint(entries.Value())
		}
		if !v.IsNil() {
			n += mapSize
		}
		if v.Len() > 0 {
			n += entriesSize(v.Type(), v.Len())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += footprint(v.Field(i))
		}
	}
	return n
}
