package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20"
)

// The session of every token: a login at 1999-12-31T23:59:59.123456Z, a token of
// half an hour and a session of twelve.
const (
	issuer   = "example.com"
	audience = "web"
	names    = `"sub":"alice","sid":"c2Vzc2lvbiBvZiB0aGUgZ29sZA","jti":"dG9rZW4gb2YgdGhlIGdvbGQuLg"`
	data     = `"data":{"Name":"Alice","Score":12345678901234567890.10}`

	jwtClaims = `{"iss":"example.com","aud":"web",` + names +
		`,"auth_us":946684799123456,"iat":946684800,"exp":946686600,"end":946727999,` + data + `}`
	pasetoClaims = `{"iss":"example.com","aud":"web",` + names +
		`,"auth_time":"1999-12-31T23:59:59.123456Z","iat":"2000-01-01T00:00:00Z",` +
		`"exp":"2000-01-01T00:30:00Z","ends":"2000-01-01T11:59:59Z",` + data + `}`
)

// token mints one.
func (k key) token(purpose string) (string, error) {
	if k.format == "jwt" {
		return k.jwt(purpose)
	}
	return k.paseto(purpose)
}

func (k key) jwt(purpose string) (string, error) {
	inner := b64([]byte(`{"alg":"EdDSA","typ":"`+purpose+`+jwt"}`)) + "." + b64([]byte(jwtClaims))
	inner += "." + b64(ed25519.Sign(k.sign, []byte(inner)))

	header := b64([]byte(`{"alg":"dir","cty":"JWT","enc":"A256GCM","kid":"` + k.id + `"}`))
	nonce := fixed("nonce", purpose, k.id)[:12]
	block, err := aes.NewCipher(k.seal)
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", fmt.Errorf("seal with a nonce that is not random: %w", err)
	}
	sealed := gcm.Seal(nil, nonce, []byte(inner), []byte(header))
	n := len(inner)
	return header + ".." + b64(nonce) + "." + b64(sealed[:n]) + "." + b64(sealed[n:]), nil
}

func (k key) paseto(purpose string) (string, error) {
	implicit := pae([]byte("carnet/v1"), []byte(purpose), []byte(issuer), []byte(audience))
	sig := ed25519.Sign(k.sign, pae([]byte("v4.public."), []byte(pasetoClaims), nil, implicit))
	inner := "v4.public." + b64([]byte(pasetoClaims+string(sig)))

	footer := []byte(`{"kid":"` + k.id + `"}`)
	nonce := fixed("nonce", purpose, k.id)
	c := []byte(`{"token":"` + inner + `"}`)
	derived := hash(56, k.seal, append([]byte("paseto-encryption-key"), nonce...))
	stream, err := chacha20.NewUnauthenticatedCipher(derived[:32], derived[32:])
	if err != nil {
		return "", err
	}
	stream.XORKeyStream(c, c)
	auth := hash(32, k.seal, append([]byte("paseto-auth-key-for-aead"), nonce...))
	tag := hash(32, auth, pae([]byte("v4.local."), nonce, c, footer, implicit))
	return "v4.local." + b64([]byte(string(nonce)+string(c)+string(tag))) + "." + b64(footer), nil
}

// hash is BLAKE2b with a key.
func hash(size int, key, text []byte) []byte {
	h, err := blake2b.New(size, key)
	if err != nil {
		panic(err) // sizes are constants
	}
	h.Write(text)
	return h.Sum(nil)
}

func pae(pieces ...[]byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(pieces)))
	for _, p := range pieces {
		out = binary.LittleEndian.AppendUint64(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}
