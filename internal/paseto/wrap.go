package paseto

import "bytes"

// What stands around the inner token in the outer payload. No character of a
// token needs an escape in JSON, so there is one way to write it.
var (
	beforeInner = []byte(`{"token":"`)
	afterInner  = []byte(`"}`)
)

func appendWrapped(dst, inner []byte) []byte {
	dst = append(dst, beforeInner...)
	dst = append(dst, inner...)
	return append(dst, afterInner...)
}

// unwrap leaves what the inner token may look like to whoever reads it.
func unwrap(outer []byte) (inner []byte, ok bool) {
	rest, before := bytes.CutPrefix(outer, beforeInner)
	inner, after := bytes.CutSuffix(rest, afterInner)
	return inner, before && after
}
