package jose

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

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
	payload, err := encodeClaims(c)
	if err != nil {
		return "", fmt.Errorf("seal JWT: %w", err)
	}
	inner := make([]byte, 0, len(header)+b64.EncodedLen(len(payload))+sigLen+2)
	inner = append(inner, header...)
	inner = append(inner, '.')
	inner = b64.AppendEncode(inner, payload)
	sig, err := jwt.SigningMethodEdDSA.Sign(string(inner), s.signer)
	if err != nil {
		return "", fmt.Errorf("seal JWT: sign: %w", err)
	}
	inner = append(inner, '.')
	inner = b64.AppendEncode(inner, sig)
	return s.envelope(inner), nil
}

// envelope seals the signed token.
func (s *Sealer) envelope(inner []byte) string {
	sealed := s.aead.Seal(nil, nil, inner, s.aad)
	iv, sealed := sealed[:12], sealed[12:]
	ciphertext, tag := sealed[:len(inner)], sealed[len(inner):]
	tok := make([]byte, 0, len(s.label)+4+ivLen+b64.EncodedLen(len(ciphertext))+tagLen)
	tok = append(tok, s.label...)
	tok = append(tok, '.', '.') // no encrypted key: the shared secret is the key
	tok = b64.AppendEncode(tok, iv)
	tok = append(tok, '.')
	tok = b64.AppendEncode(tok, ciphertext)
	tok = append(tok, '.')
	tok = b64.AppendEncode(tok, tag)
	return string(tok)
}
