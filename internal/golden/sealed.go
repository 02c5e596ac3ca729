package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// passphrase is what opens the files that it sealed; the others are opened by
// fixed("kek").
const passphrase = "correct horse battery staple"

// addSealed writes the ring at rest: sealed under a key and under a passphrase.
func addSealed(files map[string][]byte, format string) error {
	cipher, stretched := "xchacha20-poly1305", "argon2id t=3 m=65536 p=4"
	if format == "jwt" { // in the way that a process bound to FIPS 140 takes
		cipher, stretched = "aes-256-gcm", "pbkdf2-hmac-sha256 600000"
	}
	for name, way := range map[string]string{"sealed.json": "raw", "sealed-passphrase.json": stretched} {
		e := envelope{format: format, cipher: cipher, way: way}
		doc, err := e.document(files[format+"/ring.json"], files[format+"/verify-only.json"])
		if err != nil {
			return err
		}
		files[format+"/"+name] = doc
	}
	return nil
}

type envelope struct{ format, cipher, way string }

// root returns the 32 bytes that everything follows from, and the salt.
func (e envelope) root() (root, salt []byte, err error) {
	salt = fixed("salt", e.format)[:16]
	switch e.way {
	case "raw":
		return fixed("kek"), nil, nil
	case "argon2id t=3 m=65536 p=4":
		return argon2.IDKey([]byte(passphrase), salt, 3, 65536, 4, 32), salt, nil
	}
	root, err = pbkdf2.Key(sha256.New, passphrase, salt, 600_000, 32)
	return root, salt, err
}

func (e envelope) document(ring, verifyOnly []byte) ([]byte, error) {
	root, salt, err := e.root()
	if err != nil {
		return nil, err
	}
	verifyRoot := expand(root, "verify-only key")
	name := "GOLDEN" + map[string]string{"jwt": "JWT", "paseto": "PASETO"}[e.format]
	sealedRing, err := e.seal(expand(root, "ring"), ring, name, "ring")
	if err != nil {
		return nil, err
	}
	sealedVerifyOnly, err := e.seal(expand(verifyRoot, "verify-only ring"), verifyOnly, name, "verify-only ring")
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("{\n    \"name\": %q,\n    \"generation\": 3,\n    \"cipher\": %q,\n    \"key_from\": %q,\n", name, e.cipher, e.way)
	if salt != nil {
		text += fmt.Sprintf("    \"salt\": %q,\n", std64(salt))
	}
	text += fmt.Sprintf("    \"key_id\": %q,\n    \"verify_only_key_id\": %q,\n", b64(expand(root, "id")[:8]), b64(expand(verifyRoot, "id")[:8]))
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(expand(root, "verify-only signature")), append(e.additional(name, "verify-only ring signature\n"), sealedVerifyOnly...))
	text += fmt.Sprintf("    \"sealed_ring\": %q,\n    \"sealed_verify_only_ring\": %q,\n    \"signature\": %q\n  }", std64(sealedRing), std64(sealedVerifyOnly), std64(signature))
	return document("carnet sealed ring", text), nil
}

var std64 = base64.StdEncoding.EncodeToString

func expand(root []byte, purpose string) []byte {
	key, err := hkdf.Expand(sha256.New, root, "carnet 1 "+purpose, 32)
	if err != nil {
		panic(err) // sizes are constants
	}
	return key
}

func (e envelope) seal(key, text []byte, name, half string) ([]byte, error) {
	aead, err := e.aead(key)
	if err != nil {
		return nil, err
	}
	nonce := fixed("nonce", e.format, e.way, half)[:aead.NonceSize()]
	return aead.Seal(nonce, nonce, text, e.additional(name, half)), nil
}

func (e envelope) additional(name, half string) []byte {
	return fmt.Appendf(nil, "carnet sealed ring 1\n%s\n%q 3 %s", e.cipher, name, half)
}

func (e envelope) aead(key []byte) (cipher.AEAD, error) {
	if e.cipher == "xchacha20-poly1305" {
		return chacha20poly1305.NewX(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
