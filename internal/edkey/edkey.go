// Package edkey checks Ed25519 public keys.
package edkey

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// The y coordinates of the eight points of small order, little-endian, and 0 and
// 1 once more, not reduced. Under such a key a signature of zeros holds for one
// message in eight or more, and nobody has to have made it.
var smallOrder = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// Check refuses a key that is none, such as one that was never filled.
func Check(pub ed25519.PublicKey) error {
	if len(pub) != ed25519.PublicKeySize {
		return fmt.Errorf("an Ed25519 public key has %d bytes, not %d", ed25519.PublicKeySize, len(pub))
	}
	y := slices.Clone(pub)
	y[31] &= 0x7f // the sign of x
	if slices.Contains(smallOrder[:], hex.EncodeToString(y)) {
		return errors.New("an Ed25519 public key of small order verifies forgeries")
	}
	return nil
}
