// Package strictjson reads JSON that came from outside: names match to the
// letter, none may appear twice, text is UTF-8, nothing follows the value, and
// how deep, wide and long it may be is bounded before anything is decoded.
package strictjson

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json"
)

// The bounds keep small what a hostile insider can make a decoder do.
const (
	// MaxDepth is how deep a document may be nested, session data and what is
	// around it together.
	MaxDepth = 16

	// MaxMembers is how many members an object may have.
	MaxMembers = 256

	// MaxNumber is how many characters a number may have. Decoding one can take
	// time with the square of its length.
	MaxNumber = 256
)

// Documents that break a bound.
var (
	ErrTooDeep = errors.New("JSON is nested too deep: 16 levels are allowed")
	ErrTooWide = errors.New("a JSON object has too many members: 256 are allowed")
	ErrTooLong = errors.New("a JSON number is too long: 256 characters are allowed")
)

// Unmarshal decodes b into v. Members that v does not know are ignored, unless
// opts refuse them.
func Unmarshal(b []byte, v any, opts ...json.Options) error {
	if err := Check(b); err != nil {
		return err
	}
	return json.Unmarshal(b, v, opts...)
}

// Check returns an error if b breaks a bound. It is exact for valid JSON and
// does not find out whether b is. It looks at each byte once and allocates
// nothing.
func Check(b []byte) error { return check(b, 0) }

// CheckMember is Check for the value of a member of a document's object.
func CheckMember(b []byte) error { return check(b, 1) }

func check(b []byte, level int) error {
	if modest(b, level) {
		return nil
	}
	var members [MaxDepth + 1]int // so far, by level
	for i := 0; i < len(b); i++ {
		switch kinds[b[i]] {
		case quote:
			i = endOfString(b, i)
		case opening:
			if level++; level > MaxDepth {
				return ErrTooDeep
			}
			members[level] = 0
		case closing:
			level = max(level-1, 0) // in what is no JSON
		case colon:
			if members[level]++; members[level] > MaxMembers {
				return ErrTooWide
			}
		case numeric:
			from := i
			for i+1 < len(b) && kinds[b[i+1]] == numeric {
				i++
			}
			if i-from >= MaxNumber {
				return ErrTooLong
			}
		}
	}
	return nil
}

// modest reports whether b has too little of everything to break a bound, be it in
// strings or not. It takes a tenth of the time, and most session data is.
func modest(b []byte, level int) bool {
	return level+bytes.Count(b, []byte("{"))+bytes.Count(b, []byte("[")) <= MaxDepth &&
		bytes.Count(b, []byte(":")) <= MaxMembers && !longNumber(b)
}

// longNumber reports whether what may be part of a number that is too long is where such
// a number could not but be.
func longNumber(b []byte) bool {
	for i := MaxNumber; i < len(b); i += MaxNumber {
		if kinds[b[i]] == numeric {
			return true
		}
	}
	return false
}

// What a byte outside of strings is.
const (
	quote = iota + 1
	opening
	closing
	colon
	numeric
)

var kinds = [256]byte{
	'"': quote, '{': opening, '[': opening, '}': closing, ']': closing, ':': colon,
	'0': numeric, '1': numeric, '2': numeric, '3': numeric, '4': numeric, '5': numeric, '6': numeric, '7': numeric,
	'8': numeric, '9': numeric, '-': numeric, '+': numeric, '.': numeric, 'e': numeric, 'E': numeric,
}

// endOfString returns where the string that begins at i ends.
func endOfString(b []byte, i int) int {
	// Nearly always the next quote, which has no backslash before it.
	if n := bytes.IndexByte(b[i+1:], '"'); n >= 0 && b[i+n] != '\\' {
		return i + 1 + n
	}
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}
