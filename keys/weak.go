package keys

import "errors"

var errWeak = errors.New("a secret of it was not made at random: make keys with \"carnet init\" and \"carnet rotate\"")

// weak reports whether a secret was written by hand: few different bytes, as a
// key that was never filled has, or bytes that count up or down, as keys in
// examples and test vectors do. Of random secrets none is, in the life of the
// universe.
func weak(secret []byte) bool {
	seen, steps := map[byte]bool{}, map[byte]bool{}
	for i, b := range secret {
		seen[b] = true
		steps[b-secret[max(i-1, 0)]] = true
	}
	return len(secret) > 0 && (len(seen) < 12 || len(steps) < 6)
}
