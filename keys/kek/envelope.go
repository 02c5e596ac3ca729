package kek

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// The ciphers of an envelope. Nonces are random and stand before the ciphertext.
const (
	xchacha = "xchacha20-poly1305"
	aesGCM  = "aes-256-gcm"
)

// An Envelope is a sealed document: the ring, for who has the key, and its
// verify-only ring, for who has the verify-only key.
type Envelope struct {
	Cipher     string `json:"cipher"`
	Way        string `json:"key_from"`      // how the key follows from what an operator has, with its costs
	Salt       []byte `json:"salt,omitzero"` // of a passphrase; stays over edits, so that a reload costs nothing
	KeyID      string `json:"key_id"`
	VerifyID   string `json:"verify_only_key_id"`
	Ring       []byte `json:"sealed_ring,omitzero"` // absent in an export
	VerifyOnly []byte `json:"sealed_verify_only_ring"`
	Signature  []byte `json:"signature"` // of VerifyOnly, which more can seal than may make one
}

// Seal seals both halves. What was sealed before, or nil, decides cipher and salt,
// so that an edit keeps them. Context is authenticated with each half: a document
// opens only under the context that it was sealed with.
func (k *Key) Seal(ring, verifyOnly []byte, context string, before *Envelope) (*Envelope, error) {
	s := k.secrets[0]
	if s.verifyOnly() {
		return nil, ErrVerifyOnly
	}
	e := k.header(before)
	sub, err := s.subkeys(e.Way, e.Salt)
	if err != nil {
		return nil, err
	}
	e.KeyID, e.VerifyID = sub.ringID, sub.verifyID
	if e.Ring, err = e.seal(sub.ring, ring, context+" ring"); err != nil {
		return nil, err
	}
	if e.VerifyOnly, err = e.seal(sub.verify, verifyOnly, context+" verify-only ring"); err != nil {
		return nil, err
	}
	e.Signature = ed25519.Sign(sub.sign, e.signed(context))
	return e, nil
}

// header chooses what to seal with.
func (k *Key) header(before *Envelope) *Envelope {
	fips := k.fips || fips140.Enforced()
	e := &Envelope{Cipher: xchacha, Way: wayRaw}
	if fips {
		e.Cipher = aesGCM
	}
	if before != nil && !fips {
		e.Cipher = before.Cipher
	}
	if k.secrets[0].raw != nil {
		return e
	}
	e.Way = wayArgon2
	if e.Cipher == aesGCM {
		e.Way = wayPBKDF2
	}
	if before != nil && before.Way == e.Way && k.opens(before) {
		e.Salt = before.Salt
	} else {
		e.Salt = make([]byte, saltSize)
		rand.Read(e.Salt)
	}
	return e
}

// opens reports whether the first secret sealed e.
func (k *Key) opens(e *Envelope) bool {
	sub, err := k.secrets[0].subkeys(e.Way, e.Salt)
	return err == nil && sub.ringID == e.KeyID
}

// Open returns the ring.
func (k *Key) Open(e *Envelope, context string) ([]byte, error) {
	if e.Ring == nil {
		return nil, errors.New("it is the export for nodes that only verify")
	}
	var err error
	for _, s := range k.secrets {
		if s.verifyOnly() {
			err = errors.Join(err, ErrVerifyOnly)
			continue
		}
		sub, err2 := s.subkeys(e.Way, e.Salt)
		if err2 == nil && sub.ringID == e.KeyID {
			return e.open(sub.ring, e.Ring, context+" ring")
		}
		err = errors.Join(err, err2)
	}
	return nil, k.refuse(e, err)
}

// OpenVerifyOnly returns the verify-only ring.
func (k *Key) OpenVerifyOnly(e *Envelope, context string) ([]byte, error) {
	var err error
	for _, s := range k.secrets {
		sub, err2 := s.subkeys(e.Way, e.Salt)
		if err2 == nil && sub.verifyID == e.VerifyID {
			if !ed25519.Verify(sub.public, e.signed(context), e.Signature) {
				return nil, errForged
			}
			return e.open(sub.verify, e.VerifyOnly, context+" verify-only ring")
		}
		err = errors.Join(err, err2)
	}
	return nil, k.refuse(e, err)
}

// refuse says why no secret of k fits.
func (k *Key) refuse(e *Envelope, err error) error {
	switch {
	case err != nil && !errors.Is(err, ErrWrongKey):
		return err
	case e.Way == wayRaw:
		return fmt.Errorf("%w: it takes the one with the id %.16s (verify-only: %.16s), and this is %s", ErrWrongKey, e.KeyID, e.VerifyID, k.ids())
	case k.secrets[0].raw != nil:
		return fmt.Errorf("%w: it takes a passphrase, or the verify-only key with the id %.16s", ErrWrongKey, e.VerifyID)
	}
	return fmt.Errorf("%w: the passphrase is wrong", ErrWrongKey)
}

// ids names the keys that are random, as documents do.
func (k *Key) ids() string {
	var ids []string
	for _, s := range k.secrets {
		sub, err := s.subkeys(wayRaw, nil)
		switch {
		case err != nil:
			ids = append(ids, "a passphrase")
		case s.verifyOnly():
			ids = append(ids, "the verify-only key "+sub.verifyID)
		default:
			ids = append(ids, sub.ringID)
		}
	}
	return strings.Join(ids, " and ")
}

// signed is what the signature is over.
func (e *Envelope) signed(context string) []byte {
	return append(e.additional(context+" verify-only ring signature\n"), e.VerifyOnly...)
}

var errForged = errors.New("its signature is not that of somebody who has the key-encryption key: it was altered, or forged with a verify-only key")

// VerifyOnly returns the text of the verify-only key of a document, for [Parse].
// Whoever has it can read every token of the ring, and mint none.
func (k *Key) VerifyOnly(e *Envelope) (string, error) {
	for _, s := range k.secrets {
		sub, err := s.subkeys(e.Way, e.Salt)
		if err != nil || sub.ringID != e.KeyID || s.verifyOnly() {
			continue
		}
		root, err := s.root(e.Way, e.Salt)
		if err != nil {
			return "", err
		}
		return verifyOnlyPrefix + base64.StdEncoding.EncodeToString(append(expand(root, "verify-only key"), sub.public...)), nil
	}
	return "", k.refuse(e, ErrWrongKey)
}

func (e *Envelope) seal(key, text []byte, context string) ([]byte, error) {
	aead, err := e.aead(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, text, e.additional(context)), nil
}

func (e *Envelope) open(key, box []byte, context string) ([]byte, error) {
	aead, err := e.aead(key)
	if err != nil {
		return nil, err
	}
	if len(box) < aead.NonceSize() {
		return nil, errors.New("what is sealed in it was cut off")
	}
	nonce, box := box[:aead.NonceSize()], box[aead.NonceSize():]
	text, err := aead.Open(nil, nonce, box, e.additional(context))
	if err != nil {
		return nil, errors.New("it was altered after it was sealed, or its parts are from different documents")
	}
	return text, nil
}

// additional binds the header that is not bound by the key anyway.
func (e *Envelope) additional(context string) []byte {
	return []byte("carnet sealed ring 1\n" + e.Cipher + "\n" + context)
}

// aead refuses what a process that enforces FIPS 140 must not compute, before the
// cipher would panic or go behind its back.
func (e *Envelope) aead(key []byte) (cipher.AEAD, error) {
	switch e.Cipher {
	case aesGCM:
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		return cipher.NewGCMWithRandomNonce(block)
	case xchacha:
		if fips140.Enforced() {
			return nil, errors.New("it is sealed with XChaCha20-Poly1305, which is not for a process that enforces FIPS 140: rewrap it for FIPS first")
		}
		return chacha20poly1305.NewX(key)
	}
	return nil, fmt.Errorf("it is sealed with %.40q, which this program does not know", e.Cipher)
}
