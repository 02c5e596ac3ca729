package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash"
	"strings"
	"time"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20"

	"github.com/carnet-go/carnet/internal/jose"
	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/token"
)

// A floor is the bare work that a kind of token needs with the standard library:
// its cryptography with keys set up before, base64 and encoding/json, in buffers
// that are used again. It checks nothing that is not needed to open the token, so
// no library can be expected to be much faster.
type floor struct {
	name   string
	crypto func(tok string) // without JSON
	verify func(tok string) // with typed decode
	tok    func(data user) string
}

var b64 = base64.RawURLEncoding

func floors() []floor { return []floor{floorNested(), floorPASETO(), floorHS256()} }

// carnetPayload is what carnet writes into a JWT.
type carnetPayload struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Subject   string `json:"sub"`
	SessionID string `json:"sid"`
	ID        string `json:"jti"`
	StartedAt int64  `json:"auth_us"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	EndsAt    int64  `json:"end"`
	Data      user   `json:"data"`
}

type key struct {
	secret []byte
	priv   ed25519.PrivateKey
	pub    ed25519.PublicKey
}

func newKey() key {
	pub, priv, err := ed25519.GenerateKey(nil)
	check(err)
	return key{secret32(), priv, pub}
}

func issueWith(s token.Sealer) func(data user) string {
	i := token.NewIssuer[user](s, config)
	return func(data user) string {
		tok, _, err := i.Issue(subject, data)
		check(err)
		return tok
	}
}

func floorNested() floor {
	k := newKey()
	aead := must(cipher.NewGCM(must(aes.NewCipher(k.secret))))
	var sealed, out, text []byte
	open := func(tok string) []byte {
		text = append(text[:0], tok...)
		label, rest, _ := bytes.Cut(text, []byte("."))
		rest = rest[1:]
		n := len(rest) - 22
		sealed, _ = b64.AppendDecode(sealed[:0], rest[:16])
		sealed, _ = b64.AppendDecode(sealed, rest[17:n-1])
		sealed, _ = b64.AppendDecode(sealed, rest[n:])
		inner, err := aead.Open(sealed[:12], sealed[:12], sealed[12:], label)
		check(err)
		inner = inner[12:]
		at := len(inner) - 86
		out, _ = b64.AppendDecode(out[:0], inner[at:])
		if !ed25519.Verify(k.pub, inner[:at-1], out) {
			panic(errRefused)
		}
		_, payload, _ := bytes.Cut(inner[:at-1], []byte("."))
		out, _ = b64.AppendDecode(out[:0], payload)
		return out
	}
	return floor{
		name:   "floor of a nested JWT",
		crypto: func(tok string) { open(tok) },
		verify: func(tok string) {
			var p carnetPayload
			check(json.Unmarshal(open(tok), &p))
		},
		tok: issueWith(must(jose.NewSealer(k.secret, k.priv))),
	}
}

// carnetPASETO is what carnet writes into a PASETO.
type carnetPASETO struct {
	Issuer    string    `json:"iss"`
	Subject   string    `json:"sub"`
	Audience  string    `json:"aud"`
	ExpiresAt time.Time `json:"exp"`
	IssuedAt  time.Time `json:"iat"`
	ID        string    `json:"jti"`
	SessionID string    `json:"sid"`
	StartedAt time.Time `json:"auth_time"`
	EndsAt    time.Time `json:"ends"`
	Data      user      `json:"data"`
}

func pae(dst []byte, pieces ...[]byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(pieces)))
	for _, p := range pieces {
		dst = append(binary.LittleEndian.AppendUint64(dst, uint64(len(p))), p...)
	}
	return dst
}

func implicitOf() []byte {
	return pae(nil, []byte("carnet/v1"), []byte("session"), []byte(issuer), []byte(audience))
}

func floorPASETO() floor {
	k := newKey()
	encryption, auth := must(blake2b.New(56, k.secret)), must(blake2b.New256(k.secret))
	implicit := implicitOf()
	derive := func(dst []byte, h hash.Hash, info string, nonce []byte) []byte {
		h.Reset()
		h.Write([]byte(info))
		h.Write(nonce)
		return h.Sum(dst)
	}
	var text, body, inner, buf, d, footer []byte
	open := func(tok string) []byte {
		text = append(text[:0], tok...)
		dot := bytes.LastIndexByte(text, '.')
		body, _ = b64.AppendDecode(body[:0], text[len("v4.local."):dot])
		footer, _ = b64.AppendDecode(footer[:0], text[dot+1:])
		n := len(body) - 32
		nonce, c, tag := body[:32], body[32:n], body[n:]
		d = derive(d[:0], auth, "paseto-auth-key-for-aead", nonce)
		mac := must(blake2b.New256(d))
		buf = pae(buf[:0], []byte("v4.local."), nonce, c, footer, implicit)
		mac.Write(buf)
		if d = mac.Sum(d[:0]); !hmac.Equal(d, tag) {
			panic(errRefused)
		}
		d = derive(d[:0], encryption, "paseto-encryption-key", nonce)
		must(chacha20.NewUnauthenticatedCipher(d[:32], d[32:])).XORKeyStream(c, c)
		inner, _ = b64.AppendDecode(inner[:0], c[len(`{"token":"v4.public.`):len(c)-len(`"}`)])
		n = len(inner) - 64
		buf = pae(buf[:0], []byte("v4.public."), inner[:n], nil, implicit)
		if !ed25519.Verify(k.pub, buf, inner[n:]) {
			panic(errRefused)
		}
		return inner[:n]
	}
	return floor{
		name:   "floor of a nested PASETO",
		crypto: func(tok string) { open(tok) },
		verify: func(tok string) {
			var p carnetPASETO
			check(json.Unmarshal(open(tok), &p))
		},
		tok: issueWith(must(paseto.NewSealer(k.secret, k.priv))),
	}
}

func floorHS256() floor {
	mac := hmac.New(sha256.New, secret32())
	var text, buf, sum []byte
	open := func(tok string) []byte {
		text = append(text[:0], tok...)
		dot := bytes.LastIndexByte(text, '.')
		mac.Reset()
		mac.Write(text[:dot])
		sum = mac.Sum(sum[:0])
		buf, _ = b64.AppendDecode(buf[:0], text[dot+1:])
		if !hmac.Equal(buf, sum) {
			panic(errRefused)
		}
		_, payload, _ := bytes.Cut(text[:dot], []byte("."))
		buf, _ = b64.AppendDecode(buf[:0], payload)
		return buf
	}
	return floor{
		name:   "floor of an HS256 JWT",
		crypto: func(tok string) { open(tok) },
		verify: func(tok string) {
			var c claims
			check(json.Unmarshal(open(tok), &c))
		},
		tok: func(data user) string {
			signed := strings.Join([]string{b64.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)),
				b64.EncodeToString(must(json.Marshal(newClaims(data))))}, ".")
			mac.Reset()
			mac.Write([]byte(signed))
			return signed + "." + b64.EncodeToString(mac.Sum(nil))
		},
	}
}
