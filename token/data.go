package token

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// Session data is written and read by the rules that encoding/json has for
// types, tags and methods, without its leniency: names match exactly, none may
// appear twice, and text is UTF-8.
var dataOptions = json.JoinOptions(
	jsonv1.DefaultOptionsV1(),
	json.MatchCaseInsensitiveNames(false),
	jsontext.AllowDuplicateNames(false),
	jsontext.AllowInvalidUTF8(false),
	jsontext.EscapeForHTML(false), // it is no HTML, and \u003c takes six bytes of a cookie
	jsontext.EscapeForJS(false),
)

// encodeData encodes what data points to. From a pointer it takes no copy, and finds the
// methods that decoding finds.
func encodeData(data any) ([]byte, error) {
	raw, err := json.Marshal(data, dataOptions)
	if err != nil {
		return nil, errEncode(err)
	}
	return raw, nil
}

// namesOnceOptions are for types that can't write a name twice.
var namesOnceOptions = json.JoinOptions(dataOptions, jsontext.AllowDuplicateNames(true))

func errEncode(err error) error { return fmt.Errorf("encode session data: %w", withoutValues(err)) }

func decodeData(raw []byte, data any) error {
	if json.Unmarshal(raw, data, dataOptions) != nil {
		return ErrData
	}
	return nil
}

// withoutValues keeps the Go type out of which a value would not encode, and
// drops the rest: a MarshalJSON method may have put the value into its error.
func withoutValues(err error) error {
	if e, ok := err.(*json.SemanticError); ok && e.GoType != nil {
		return fmt.Errorf("a value of type %v can't be written as JSON", e.GoType)
	}
	return fmt.Errorf("a value can't be written as JSON")
}

// mergeData returns data as JSON, with everything taken from raw that data has
// not changed since it was decoded from there: members that T does not know,
// and numbers with more digits than T holds.
func mergeData[T any](raw []byte, data *T) ([]byte, error) {
	next, err := encodeData(data)
	if err != nil {
		return nil, err
	}
	var before T
	if decodeData(raw, &before) != nil {
		return next, nil // raw is not data's origin; there is nothing to keep
	}
	prev, err := encodeData(&before)
	if err != nil {
		return nil, err
	}
	merged, err := merge(raw, prev, next)
	if err != nil {
		return nil, fmt.Errorf("merge session data: %w", withoutValues(err))
	}
	// A type that reads a name in two spellings would find in merged what data has lost.
	if !readsAlike[T](merged, next) {
		return next, nil
	}
	return merged, nil
}

// readsAlike reports whether T finds the same in both.
func readsAlike[T any](a, b []byte) bool {
	var x, y T
	if decodeData(a, &x) != nil || decodeData(b, &y) != nil {
		return false
	}
	inA, err1 := encodeData(&x)
	inB, err2 := encodeData(&y)
	return err1 == nil && err2 == nil && bytes.Equal(inA, inB)
}

// merge applies the change from prev to next to raw. What only raw has is what
// the type does not know.
func merge(raw, prev, next jsontext.Value) (jsontext.Value, error) {
	kind := next.Kind()
	switch {
	case bytes.Equal(prev, next):
		return raw, nil
	case raw.Kind() != kind || prev.Kind() != kind:
		return next, nil
	case kind == '{':
		return mergeObject(raw, prev, next)
	case kind == '[':
		return mergeList(raw, prev, next)
	}
	return next, nil
}

func mergeObject(raw, prev, next jsontext.Value) (jsontext.Value, error) {
	var r, p, n map[string]jsontext.Value
	if err := decodeAll(&r, raw, &p, prev, &n, next); err != nil {
		return nil, err
	}
	for name, value := range n {
		if inRaw, inPrev := r[name], p[name]; inRaw != nil && inPrev != nil {
			var err error
			if value, err = merge(inRaw, inPrev, value); err != nil {
				return nil, err
			}
		}
		r[name] = value
	}
	for name := range p {
		if n[name] == nil {
			delete(r, name)
		}
	}
	return json.Marshal(r, json.Deterministic(true), jsontext.PreserveRawStrings(true))
}

// mergeList finds again the elements that stayed as they were, wherever they
// are now. An element that changed is known by its place, if the list is as long
// as before.
func mergeList(raw, prev, next jsontext.Value) (jsontext.Value, error) {
	var r, p, n []jsontext.Value
	if err := decodeAll(&r, raw, &p, prev, &n, next); err != nil || len(r) != len(p) {
		return next, err
	}
	merged, used := make([]jsontext.Value, len(n)), make([]bool, len(p))
	for i, value := range n {
		if i < len(p) && bytes.Equal(p[i], value) {
			merged[i], used[i] = r[i], true
		}
	}
	free := map[string][]int{}
	for j := range p {
		if !used[j] {
			free[string(p[j])] = append(free[string(p[j])], j)
		}
	}
	for i, value := range n {
		if at := free[string(value)]; merged[i] == nil && len(at) > 0 {
			merged[i], used[at[0]], free[string(value)] = r[at[0]], true, at[1:]
		}
	}
	for i, value := range n {
		var err error
		switch {
		case merged[i] != nil:
		case len(n) == len(p) && !used[i]:
			merged[i], err = merge(r[i], p[i], value)
		default:
			merged[i] = value
		}
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(merged)
}

// decodeAll decodes each second argument into the one before it.
func decodeAll[T any](r *T, raw jsontext.Value, p *T, prev jsontext.Value, n *T, next jsontext.Value) error {
	return errors.Join(json.Unmarshal(raw, r), json.Unmarshal(prev, p), json.Unmarshal(next, n))
}
