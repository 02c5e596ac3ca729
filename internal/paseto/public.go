package paseto

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/carnet-go/carnet/token"
)

const publicHeader = "v4.public."

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

// checkPublicKey refuses a key that is none, such as one that was never filled.
func checkPublicKey(pub ed25519.PublicKey) error {
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

// public signs and verifies v4.public tokens. It works in memory of its own: it
// is not for concurrent use, and what it returns lasts until the next call.
type public struct {
	body []byte // payload, signature
	pae  []byte
	tok  []byte
}

// sign returns a token. The signer's key must be Ed25519.
func (p *public) sign(s crypto.Signer, payload, footer, implicit []byte) ([]byte, error) {
	p.pae = appendPAE(p.pae[:0], []byte(publicHeader), payload, footer, implicit)
	sig, err := s.Sign(rand.Reader, p.pae, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if len(sig) != ed25519.SignatureSize {
		return nil, errors.New("sign: the signer's signature is none of Ed25519")
	}
	p.body = append(append(p.body[:0], payload...), sig...)
	p.tok = appendToken(p.tok[:0], publicHeader, p.body, footer)
	return p.tok, nil
}

// verify returns the payload of a token.
func (p *public) verify(pub ed25519.PublicKey, tok, footer, implicit []byte) (payload []byte, err error) {
	p.body, err = decodeToken(p.body, publicHeader, tok, footer, ed25519.SignatureSize)
	if err != nil {
		return nil, err
	}
	sigAt := len(p.body) - ed25519.SignatureSize
	payload, sig := p.body[:sigAt], p.body[sigAt:]
	p.pae = appendPAE(p.pae[:0], []byte(publicHeader), payload, footer, implicit)
	if !ed25519.Verify(pub, p.pae, sig) {
		return nil, token.ErrInvalid
	}
	return payload, nil
}
