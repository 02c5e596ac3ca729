package token

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A SizeError says that session data does not fit. Nothing was minted.
type SizeError struct {
	Data int // bytes the data takes, as JSON
	Room int // bytes it may take, with this subject, issuer and audience

	// Members has the bytes that each member of the data takes, if the data is a
	// struct: only those that its type names, as the keys of a map are data.
	Members map[string]int
}

// Error has the numbers and the largest members, and no data.
func (e *SizeError) Error() string {
	return fmt.Sprintf("session data takes %d bytes, %d are left for it%s: keep large or rarely used values elsewhere",
		e.Data, e.Room, e.largest())
}

func (e *SizeError) largest() string {
	names := slices.SortedFunc(maps.Keys(e.Members), func(a, b string) int {
		if d := e.Members[b] - e.Members[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	if len(names) == 0 {
		return ""
	}
	var b strings.Builder
	for i, name := range names[:min(len(names), 3)] {
		b.WriteString([]string{" (the largest members: ", ", ", ", "}[i])
		fmt.Fprintf(&b, "%s %d", name, e.Members[name])
	}
	return b.String() + ")"
}

// Fitting returns an Issuer whose tokens have at most n bytes, or as many as those
// of i if that is less.
func (i *Issuer[T]) Fitting(n int) *Issuer[T] {
	next := *i
	next.size = min(n, i.size)
	return &next
}

// tooLarge returns the error for claims whose data does not fit.
func (i *Issuer[T]) tooLarge(c Claims) error {
	return &SizeError{len(c.Raw), i.room(c), sizes(reflect.TypeFor[T](), []byte(c.Raw))}
}

// sizes returns how long the members are that t names.
func sizes(t reflect.Type, raw []byte) map[string]int {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var found map[string]jsontext.Value
	if json.Unmarshal(raw, &found) != nil {
		return nil
	}
	lengths := map[string]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		if value, ok := found[name]; ok && f.IsExported() {
			lengths[name] = len(name) + len(`"":`) + len(value)
		}
	}
	return lengths
}

// room finds how many bytes of data fit beside the other claims: the only way
// that holds for every Sealer is to try. It takes a dozen seals, in an error
// that a program meets while it is written.
func (i *Issuer[T]) room(c Claims) int {
	c.Overflow = ""
	fits, over := 0, i.size
	for over-fits > 1 {
		n := (fits + over) / 2
		c.Raw = filler(n)
		if tok, err := i.sealer.Seal(c); err == nil && len(tok) <= i.size {
			fits = n
		} else {
			over = n
		}
	}
	return fits
}

// filler returns a JSON value of n bytes, or of two at least.
func filler(n int) string { return `"` + strings.Repeat("x", max(n-2, 0)) + `"` }
