package strictjson

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxRef is the length of the longest reference.
const maxRef = 128

// EncodeRef returns nothing for an empty reference, so that a document without one has
// not a byte more.
func EncodeRef(s string) jsontext.Value {
	if s == "" {
		return nil
	}
	return jsontext.Value(`"` + s + `"`)
}

// DecodeRef reads a reference: 1 to 128 characters of base64url. None is empty.
func DecodeRef(v jsontext.Value) (s string, ok bool) {
	if v == nil {
		return "", true
	}
	err := json.Unmarshal(v, &s)
	return s, err == nil && IsRef(s)
}

// IsRef reports whether s is a reference.
func IsRef(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= maxRef
}
