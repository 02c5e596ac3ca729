package jose

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/carnet-go/carnet/token"
)

// A Sealer mints and reads the tokens of one key.
type Sealer struct {
	*Opener
	signer crypto.Signer
}

// NewSealer returns the Sealer of the key with this sealing secret, 32 bytes,
// and this signer, whose public key must be Ed25519.
func NewSealer(secret []byte, signer crypto.Signer) (*Sealer, error) {
	pub, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("a JWT key needs an Ed25519 signer")
	}
	o, err := NewOpener(secret, pub)
	if err != nil {
		return nil, err
	}
	return &Sealer{o, signer}, nil
}

// Seal mints a token that says c. It does not judge the claims.
func (s *Sealer) Seal(c token.Claims) (string, error) {
	header := innerHeaders[c.Purpose]
	if header == "" {
		return "", errors.New("seal JWT: unknown purpose")
	}
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	payload, err := appendClaims(buf.payload[:0], &c)
	if err != nil {
		return "", fmt.Errorf("seal JWT: %w", err)
	}
	buf.payload = payload
	inner := append(append(buf.text[:0], header...), '.')
	inner = appendBase64(inner, payload)
	var sig []byte
	if key, ok := s.signer.(ed25519.PrivateKey); ok {
		sig = ed25519.Sign(key, inner) // called by itself it takes no memory
	} else if sig, err = s.signer.Sign(rand.Reader, inner, crypto.Hash(0)); err != nil {
		return "", fmt.Errorf("seal JWT: sign: %w", err)
	}
	buf.text = appendBase64(append(inner, '.'), sig)
	return s.envelope(buf), nil
}

// envelope seals the signed token that the buffer has.
func (s *Sealer) envelope(buf *buffer) string {
	sealed := s.aead.Seal(buf.sealed[:0], nil, buf.text, s.aad)
	buf.sealed = sealed
	tagAt := len(sealed) - 16
	tok := append(append(buf.text[:0], s.label...), '.', '.') // no encrypted key: the shared secret is the key
	tok = append(appendBase64(tok, sealed[:12]), '.')
	tok = append(appendBase64(tok, sealed[12:tagAt]), '.')
	tok = appendBase64(tok, sealed[tagAt:])
	buf.text = tok
	return string(tok)
}
