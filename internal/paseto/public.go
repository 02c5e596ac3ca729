package paseto

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/carnet-go/carnet/token"
)

const publicHeader = "v4.public."

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
