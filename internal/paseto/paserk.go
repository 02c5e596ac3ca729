package paseto

import (
	"crypto/ed25519"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// A serialisation is one way in which PASERK writes a key, and the way in which
// it names one.
type serialisation struct {
	header   string
	size     int // of the key, in bytes
	idHeader string
}

var (
	paserkLocal  = serialisation{"k4.local.", localKeySize, "k4.lid."}
	paserkPublic = serialisation{"k4.public.", ed25519.PublicKeySize, "k4.pid."}
	paserkSecret = serialisation{"k4.secret.", ed25519.PrivateKeySize, "k4.sid."}
)

const (
	idSize    = 33 // BLAKE2b-264 (PASERK, operation ID)
	idTextLen = idSize / 3 * 4
)

// PASERK writes the two keys that read a ring's tokens, as k4.local and as
// k4.public. The first is a secret.
func PASERK(secret []byte, pub ed25519.PublicKey) (local, public string, err error) {
	if local, err = paserkLocal.encode(secret); err != nil {
		return "", "", err
	}
	public, err = paserkPublic.encode(pub)
	return local, public, err
}

// encode writes a key. No error here or in decode tells anything of the key.
func (s serialisation) encode(key []byte) (string, error) {
	if err := s.check(key); err != nil {
		return "", err
	}
	return s.header + b64.EncodeToString(key), nil
}

// decode reads a key that encode wrote, in that form only.
func (s serialisation) decode(paserk string) ([]byte, error) {
	data, ok := strings.CutPrefix(paserk, s.header)
	if !ok || len(data) != b64.EncodedLen(s.size) {
		return nil, fmt.Errorf("not a %s key", strings.TrimSuffix(s.header, "."))
	}
	key, ok := appendDecoded(nil, []byte(data))
	if !ok {
		return nil, fmt.Errorf("not a %s key: bad base64url", strings.TrimSuffix(s.header, "."))
	}
	if err := s.check(key); err != nil {
		return nil, err
	}
	return key, nil
}

// check refuses a private key whose public half is another's: who signs with one
// gives the private half away.
func (s serialisation) check(key []byte) error {
	if len(key) != s.size {
		return fmt.Errorf("a %s key has %d bytes, not %d", strings.TrimSuffix(s.header, "."), s.size, len(key))
	}
	if s == paserkSecret && subtle.ConstantTimeCompare(ed25519.NewKeyFromSeed(key[:ed25519.SeedSize]), key) != 1 {
		return errors.New("the two halves of a k4.secret key do not belong together")
	}
	return nil
}

// id names a key. It tells nothing about a key that is random.
func (s serialisation) id(key []byte) (string, error) {
	paserk, err := s.encode(key)
	if err != nil {
		return "", err
	}
	h, err := blake2b.New(idSize, nil)
	if err != nil {
		return "", err
	}
	h.Write([]byte(s.idHeader + paserk))
	return s.idHeader + b64.EncodeToString(h.Sum(nil)), nil
}
