package token

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// namesOnce reports whether no object of the JSON of a type can have a name twice,
// whatever its values are, so that nobody needs to remember the names while it is
// written. That takes a third of the time.
func namesOnce(t reflect.Type) bool { return namesOnceWithin(t, nil) }

func namesOnceWithin(t reflect.Type, within []reflect.Type) bool {
	switch {
	case t == reflect.TypeFor[time.Time](), slices.Contains(within, t):
		return true
	case encodesItself(t):
		return false
	}
	within = append(within, t)
	switch t.Kind() {
	case reflect.Interface:
		return false
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return namesOnceWithin(t.Elem(), within)
	case reflect.Map:
		return distinct(t.Key()) && namesOnceWithin(t.Elem(), within)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if hasOptions(f.Tag.Get("json")) || !namesOnceWithin(f.Type, within) {
				return false
			}
		}
	}
	return true
}

// distinct reports whether two keys of a type are never written alike. Of pointers, and of
// what a method writes, two can be.
func distinct(t reflect.Type) bool {
	return !encodesItself(t) && (t.Kind() == reflect.String || reflect.Int <= t.Kind() && t.Kind() <= reflect.Uintptr)
}

// hasOptions reports whether a tag says more than a name and when to leave the member
// out. Some options take members from elsewhere.
func hasOptions(tag string) bool {
	name, options, _ := strings.Cut(tag, ",")
	return strings.Contains(name, "'") || options != "" && options != "omitempty" && options != "omitzero"
}

// encodesItself reports whether a method has a say in what is written of the type.
func encodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[interface{ MarshalJSON() ([]byte, error) }]()) ||
		p.Implements(reflect.TypeFor[json.MarshalerTo]()) ||
		p.Implements(reflect.TypeFor[encoding.TextMarshaler]()) ||
		p.Implements(reflect.TypeFor[encoding.TextAppender]()) ||
		t == reflect.TypeFor[jsontext.Value]()
}
