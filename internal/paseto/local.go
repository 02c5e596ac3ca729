package paseto

import (
	"crypto/subtle"
	"fmt"
	"hash"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20"

	"github.com/carnet-go/carnet/token"
)

const (
	localHeader    = "v4.local."
	localKeySize   = 32
	localNonceSize = 32
	localTagSize   = 32
)

// What tells the two derived keys apart (PASETO, Version 4).
var (
	encryptionInfo = []byte("paseto-encryption-key")
	authInfo       = []byte("paseto-auth-key-for-aead")
)

// local encrypts and decrypts v4.local tokens with one key. It works in memory
// of its own: it is not for concurrent use, and what it returns lasts until the
// next call.
type local struct {
	encryption hash.Hash // BLAKE2b-448 with the key
	auth       hash.Hash // BLAKE2b-256 with the key
	derived    [chacha20.KeySize + chacha20.NonceSizeX]byte
	tag        [localTagSize]byte
	body       []byte // nonce, ciphertext, tag
	pae        []byte
	tok        []byte
}

func newLocal(key []byte) (*local, error) {
	if len(key) != localKeySize {
		return nil, fmt.Errorf("a v4.local key has %d bytes, not %d", localKeySize, len(key))
	}
	l := new(local)
	var err error
	if l.encryption, err = blake2b.New(len(l.derived), key); err != nil {
		return nil, err
	}
	if l.auth, err = blake2b.New256(key); err != nil {
		return nil, err
	}
	return l, nil
}

// encrypt returns a token. The nonce has 32 bytes and must be random: one that
// comes twice gives away how two payloads differ.
func (l *local) encrypt(nonce, payload, footer, implicit []byte) []byte {
	l.body = append(append(l.body[:0], nonce...), payload...)
	c := l.body[localNonceSize:]
	l.xor(nonce, c)
	l.body = append(l.body, l.sum(nonce, c, footer, implicit)...)
	l.tok = appendToken(l.tok[:0], localHeader, l.body, footer)
	return l.tok
}

// decrypt returns the payload of a token. Nothing is decrypted before the tag
// has been found right.
func (l *local) decrypt(tok, footer, implicit []byte) (payload []byte, err error) {
	l.body, err = decodeToken(l.body, localHeader, tok, footer, localNonceSize+localTagSize)
	if err != nil {
		return nil, err
	}
	tagAt := len(l.body) - localTagSize
	nonce, c, tag := l.body[:localNonceSize], l.body[localNonceSize:tagAt], l.body[tagAt:]
	if subtle.ConstantTimeCompare(tag, l.sum(nonce, c, footer, implicit)) != 1 {
		return nil, token.ErrInvalid
	}
	l.xor(nonce, c)
	return c, nil
}

// sum authenticates a ciphertext and what is around it. The errors that are
// dropped here and in xor are about lengths, which are constants.
func (l *local) sum(nonce, c, footer, implicit []byte) []byte {
	l.pae = appendPAE(l.pae[:0], []byte(localHeader), nonce, c, footer, implicit)
	mac, _ := blake2b.New256(l.derive(l.auth, authInfo, nonce))
	mac.Write(l.pae)
	return mac.Sum(l.tag[:0])
}

// xor encrypts or decrypts in place.
func (l *local) xor(nonce, text []byte) {
	d := l.derive(l.encryption, encryptionInfo, nonce)
	stream, _ := chacha20.NewUnauthenticatedCipher(d[:chacha20.KeySize], d[chacha20.KeySize:])
	stream.XORKeyStream(text, text)
}

func (l *local) derive(h hash.Hash, info, nonce []byte) []byte {
	h.Reset()
	h.Write(info)
	h.Write(nonce)
	return h.Sum(l.derived[:0])
}
