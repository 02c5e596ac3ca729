package token

import (
	"bytes"
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

func encodeData(data any) ([]byte, error) {
	raw, err := json.Marshal(data, dataOptions)
	if err != nil {
		return nil, fmt.Errorf("encode session data: %w", withoutValues(err))
	}
	return raw, nil
}

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
func mergeData[T any](raw []byte, data T) ([]byte, error) {
	next, err := encodeData(data)
	if err != nil {
		return nil, err
	}
	var before T
	if decodeData(raw, &before) != nil {
		return next, nil // raw is not data's origin; there is nothing to keep
	}
	prev, err := encodeData(before)
	if err != nil {
		return nil, err
	}
	merged, err := merge(raw, prev, next)
	if err != nil {
		return nil, fmt.Errorf("merge session data: %w", withoutValues(err))
	}
	return merged, nil
}

// merge applies the change from prev to next to raw. What only raw has is what
// the type does not know.
func merge(raw, prev, next jsontext.Value) (jsontext.Value, error) {
	if bytes.Equal(prev, next) {
		return raw, nil
	}
	if raw.Kind() != '{' || prev.Kind() != '{' || next.Kind() != '{' {
		return next, nil
	}
	r, err := members(raw)
	if err != nil {
		return nil, err
	}
	p, err := members(prev)
	if err != nil {
		return nil, err
	}
	n, err := members(next)
	if err != nil {
		return nil, err
	}
	for name, value := range n {
		if inRaw, inPrev := r[name], p[name]; inRaw != nil && inPrev != nil {
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
	return json.Marshal(r, json.Deterministic(true))
}

func members(object jsontext.Value) (m map[string]jsontext.Value, err error) {
	err = json.Unmarshal(object, &m)
	return m, err
}
