// Package strictjson reads JSON that came from outside: names match to the
// letter, none may appear twice, text is UTF-8, nothing follows the value, and
// nesting is bounded before anything is decoded.
package strictjson

import (
	"errors"

	"github.com/go-json-experiment/json"
)

// MaxDepth is how deep a document may be nested, session data and what is around
// it together. A cookie is no document, and a bound keeps what a hostile insider
// can make a decoder do small.
const MaxDepth = 16

// ErrTooDeep is a document nested more than [MaxDepth] deep.
var ErrTooDeep = errors.New("JSON is nested too deep")

// Unmarshal decodes b into v. Members that v does not know are ignored, unless
// opts refuse them.
func Unmarshal(b []byte, v any, opts ...json.Options) error {
	if Depth(b) > MaxDepth {
		return ErrTooDeep
	}
	return json.Unmarshal(b, v, opts...)
}

// Depth counts the levels of objects and arrays in b. It is exact for valid JSON
// and finite for everything else.
func Depth(b []byte) int {
	deepest, level := 0, 0
	for quoted, i := false, 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}
