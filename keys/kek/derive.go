package kek

import (
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// The ways from what an operator has to 32 bytes, with their costs: a name in a
// document that is not one of them is refused, so nobody can choose lower ones.
const (
	wayRaw    = "raw"
	wayArgon2 = "argon2id t=3 m=65536 p=4"
	wayPBKDF2 = "pbkdf2-hmac-sha256 600000"
)

const saltSize = 16

// maxDerived bounds what a store with ever new salts can make a process keep.
const maxDerived = 4

// root returns the 32 bytes that everything follows from, in the way and with the
// salt that a document states.
func (s *secret) root(way string, salt []byte) ([]byte, error) {
	if (way == wayRaw) != (s.raw != nil) {
		return nil, ErrWrongKey
	}
	switch {
	case way == wayRaw && len(salt) == 0:
		return s.raw, nil
	case way == wayRaw, len(salt) != saltSize:
		return nil, errors.New("its salt has the wrong length for the way in which it is sealed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := way + string(salt) // the salt has one length, so no two pairs have one name
	if key, ok := s.derived[name]; ok {
		return key, nil
	}
	key, err := stretch(s.passphrase, way, salt)
	if err != nil {
		return nil, err
	}
	if s.derived == nil || len(s.derived) >= maxDerived {
		s.derived = map[string][]byte{}
	}
	s.derived[name] = key
	return key, nil
}

func stretch(passphrase, way string, salt []byte) ([]byte, error) {
	switch way {
	case wayArgon2:
		if fips140.Enforced() {
			return nil, errors.New("it is sealed by argon2id, which is not for a process that enforces FIPS 140: rewrap it for FIPS first")
		}
		return argon2.IDKey([]byte(passphrase), salt, 3, 64<<10, 4, 32), nil
	case wayPBKDF2:
		return pbkdf2.Key(sha256.New, passphrase, salt, 600_000, 32)
	}
	return nil, fmt.Errorf("it is sealed in the way %.40q, which this program does not know", way)
}

// verifyOnly reports whether it is a verify-only key.
func (s *secret) verifyOnly() bool { return s.public != nil }

// subkeys are one for each half of a document, what signs and proves the half for
// nodes that only verify, and what names them. A verify-only key can't seal nor sign.
type subkeys struct {
	ring, verify     []byte
	ringID, verifyID string
	sign             ed25519.PrivateKey
	public           ed25519.PublicKey
}

func (s *secret) subkeys(way string, salt []byte) (k subkeys, err error) {
	verifyRoot := s.raw
	k.public = s.public
	if !s.verifyOnly() {
		root, err := s.root(way, salt)
		if err != nil {
			return k, err
		}
		k.ring, k.ringID = expand(root, "ring"), identify(root)
		k.sign = signingKey(root)
		k.public = publicOf(k.sign)
		verifyRoot = expand(root, "verify-only key")
	}
	k.verify, k.verifyID = expand(verifyRoot, "verify-only ring"), identify(verifyRoot)
	return k, nil
}

// signingKey signs the half for nodes that only verify.
func signingKey(root []byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(expand(root, "verify-only signature"))
}

func publicOf(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// expand is one-way: the verify-only key says nothing of the key that it is from.
func expand(root []byte, purpose string) []byte {
	key, err := hkdf.Expand(sha256.New, root, "carnet 1 "+purpose, 32)
	if err != nil {
		panic(err) // only for a length that HKDF can't give
	}
	return key
}

// identify returns a name that tells keys apart and says nothing else of them.
func identify(root []byte) string {
	return base64.RawURLEncoding.EncodeToString(expand(root, "id")[:8])
}
