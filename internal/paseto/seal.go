package paseto

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/carnet-go/carnet/token"
)

// A Sealer mints and reads the tokens of one key. It is safe for concurrent use
// if its signer is.
type Sealer struct {
	*Opener
	signer crypto.Signer
}

// NewSealer returns the Sealer of the key with this sealing secret, 32 bytes,
// and this signer, whose public key must be Ed25519. It fails where [NewOpener]
// does.
func NewSealer(secret []byte, signer crypto.Signer) (*Sealer, error) {
	if priv, ok := signer.(ed25519.PrivateKey); signer == nil || ok && len(priv) != ed25519.PrivateKeySize {
		return nil, errors.New("a PASETO key needs a signer")
	}
	pub, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("a PASETO key needs an Ed25519 signer")
	}
	o, err := NewOpener(secret, pub)
	if err != nil {
		return nil, err
	}
	return &Sealer{o, signer}, nil
}

// Seal mints a token that says c. It does not judge the claims, apart from what
// this format can't say: they must be complete, in valid UTF-8, and their times
// within the years 1970 to 9999. Nor does it judge the token's size.
func (s *Sealer) Seal(c token.Claims) (string, error) {
	payload, err := encodeClaims(c)
	if err != nil {
		return "", fmt.Errorf("seal PASETO: %w", err)
	}
	w := s.work.Get().(*workspace)
	defer s.work.Put(w)
	w.bind(c.Binding)
	inner, err := w.inner.sign(s.signer, payload, nil, w.implicit)
	if err != nil {
		return "", fmt.Errorf("seal PASETO: %w", err)
	}
	w.payload = appendWrapped(w.payload[:0], inner)
	rand.Read(w.nonce[:])
	return string(w.outer.encrypt(w.nonce[:], w.payload, s.footer, w.implicit)), nil
}
