package jose

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"unsafe"

	"github.com/golang-jwt/jwt/v5"

	"github.com/carnet-go/carnet/internal/edkey"
	"github.com/carnet-go/carnet/token"
)

// An Opener reads the tokens of one key. It can't mint: it holds the sealing
// secret and the public half of the signing key.
type Opener struct {
	id    string
	label string
	aad   []byte // the label, as the additional data of the envelope
	aead  cipher.AEAD
	pub   any // ed25519.PublicKey, boxed once for golang-jwt
}

// NewOpener returns the Opener of the key with this sealing secret, 32 bytes,
// and this public key.
func NewOpener(secret []byte, pub ed25519.PublicKey) (*Opener, error) {
	if len(secret) != 32 {
		return nil, errors.New("a JWT key needs a sealing secret of 32 bytes")
	}
	if err := edkey.Check(pub); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	// The random nonce is the only one that a FIPS 140-only process can use.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	id := keyID(secret, pub)
	l := label(id)
	return &Opener{id: id, label: l, aad: []byte(l), aead: aead, pub: pub}, nil
}

// keyID fingerprints a key: 64 bits of a hash over both halves. It tells nothing
// about the secret, which has 256 random bits.
func keyID(secret []byte, pub ed25519.PublicKey) string {
	h := sha256.New()
	h.Write([]byte("carnet JWT key\n"))
	h.Write(pub)
	h.Write(secret)
	return b64.EncodeToString(h.Sum(nil)[:8])
}

// ID returns the key id.
func (o *Opener) ID() string { return o.id }

// Label returns the encoded JWE header with which each token of this key begins.
func (o *Opener) Label() string { return o.label }

// Open returns the claims of a token of this key. Purpose, signature and form
// are checked; issuer, audience and times are not.
func (o *Opener) Open(tok string, b token.Binding) (token.Claims, error) {
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	inner, err := o.openEnvelope(tok, buf)
	if err != nil {
		return token.Claims{}, err
	}
	payload, err := o.verify(inner, b.Purpose, buf)
	if err != nil {
		return token.Claims{}, err
	}
	c, err := decodeClaims(payload)
	if err != nil {
		return token.Claims{}, err
	}
	c.Purpose, c.KeyID = b.Purpose, o.id
	return c, nil
}

// borrowed returns b as a string without a copy, of what nobody writes any more while it
// is read.
func borrowed(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// A buffer is what one Open works in.
type buffer struct {
	text    []byte // the token, as the base64 decoder takes it
	sealed  []byte
	payload []byte
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// openEnvelope returns the signed token inside.
func (o *Opener) openEnvelope(tok string, buf *buffer) ([]byte, error) {
	sealed, err := o.decodeEnvelope(tok, buf)
	if err != nil {
		return nil, err
	}
	inner, err := o.aead.Open(sealed[:0], nil, sealed, o.aad)
	if err != nil {
		return nil, token.ErrInvalid
	}
	return inner, nil
}

// decodeEnvelope returns nonce, ciphertext and tag, one after the other.
// What follows the header is: no encrypted key, nonce, ciphertext, tag.
func (o *Opener) decodeEnvelope(tok string, buf *buffer) ([]byte, error) {
	if len(tok) > token.MaxSize {
		return nil, token.ErrTooLarge
	}
	rest, ok := strings.CutPrefix(tok, o.label)
	if !ok || len(rest) < len("..")+ivLen+len("..")+tagLen || rest[:2] != ".." {
		return nil, token.ErrMalformed
	}
	buf.text = append(buf.text[:0], rest[2:]...)
	text, tagAt := buf.text, len(buf.text)-tagLen
	if text[ivLen] != '.' || text[tagAt-1] != '.' || tagAt-1 < ivLen+1 {
		return nil, token.ErrMalformed
	}
	buf.sealed = buf.sealed[:0]
	for _, part := range [][]byte{text[:ivLen], text[ivLen+1 : tagAt-1], text[tagAt:]} {
		if buf.sealed, ok = appendDecoded(buf.sealed, part); !ok {
			return nil, token.ErrMalformed
		}
	}
	return buf.sealed, nil
}

// verify returns the payload of the signed token inside.
func (o *Opener) verify(inner []byte, p token.Purpose, buf *buffer) ([]byte, error) {
	sigAt := len(inner) - sigLen
	if sigAt < 1 || inner[sigAt-1] != '.' {
		return nil, token.ErrMalformed
	}
	signed := inner[:sigAt-1]
	header, payload, ok := bytes.Cut(signed, []byte("."))
	if !ok {
		return nil, token.ErrMalformed
	}
	if err := checkInnerHeader(header, p); err != nil {
		return nil, err
	}
	if buf.payload, ok = appendDecoded(buf.payload[:0], inner[sigAt:]); !ok {
		return nil, token.ErrMalformed
	}
	if jwt.SigningMethodEdDSA.Verify(borrowed(signed), buf.payload, o.pub) != nil {
		return nil, token.ErrInvalid
	}
	if buf.payload, ok = appendDecoded(buf.payload[:0], payload); !ok {
		return nil, token.ErrMalformed
	}
	return buf.payload, nil
}

func checkInnerHeader(header []byte, p token.Purpose) error {
	if want := innerHeaders[p]; want != "" && string(header) == want {
		return nil
	}
	for _, other := range innerHeaders {
		if string(header) == other {
			return token.ErrBinding
		}
	}
	return token.ErrMalformed
}

// appendDecoded appends the decoded src to dst. Go's decoder skips line breaks
// even when it is strict.
func appendDecoded(dst, src []byte) ([]byte, bool) {
	if bytes.IndexByte(src, '\n') >= 0 || bytes.IndexByte(src, '\r') >= 0 {
		return dst, false
	}
	dst, err := b64.AppendDecode(dst, src)
	return dst, err == nil
}
