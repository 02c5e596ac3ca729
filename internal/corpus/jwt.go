package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/carnet-go/carnet/keys"
)

var b64 = base64.RawURLEncoding.EncodeToString

// enc is b64 for text.
func enc(s string) string { return b64([]byte(s)) }

const innerHeader = `{"alg":"EdDSA","typ":"session+jwt"}`

func outerHeader(kid string) string {
	return `{"alg":"dir","cty":"JWT","enc":"A256GCM","kid":"` + kid + `"}`
}

// jws signs with the active key, whatever the header says.
func jws(header, payload string) string { return jwsOf(activeKey, enc(header), enc(payload)) }

func jwsOf(k material, header, payload string) string {
	signing := header + "." + payload
	return signing + "." + b64(ed25519.Sign(k.sign, []byte(signing)))
}

// A jwe is a JWE before its parts are put together.
type jwe struct {
	label, ek  string
	nonce      []byte
	ciphertext []byte
	tag        []byte
}

// seal encrypts with the active key, whatever the header says.
func seal(header, content string) jwe {
	return sealAs(activeKey.seal, enc(header), content, enc(header))
}

func sealAs(secret []byte, label, content, aad string) jwe {
	nonce := sha256.Sum256([]byte(label + "\x00" + content))
	return sealWith(gcm(secret, 12), nonce[:12], label, content, aad)
}

func sealWith(aead cipher.AEAD, nonce []byte, label, content, aad string) jwe {
	sealed := aead.Seal(nil, nonce, []byte(content), []byte(aad))
	n := len(content)
	return jwe{label, "", nonce, sealed[:n], sealed[n:]}
}

func gcm(secret []byte, nonceSize int) (aead cipher.AEAD) {
	block, err := aes.NewCipher(secret)
	must(err)
	fips140.WithoutEnforcement(func() { aead, err = cipher.NewGCMWithNonceSize(block, nonceSize) })
	must(err)
	return aead
}

func (j jwe) parts() []string {
	return []string{j.label, j.ek, b64(j.nonce), b64(j.ciphertext), b64(j.tag)}
}

func (j jwe) String() string { return strings.Join(j.parts(), ".") }

// A jwtMint has what most of the tokens begin from.
type jwtMint struct {
	*list
	label   string // the header of the active key
	payload payload
	inner   string // the signed token
	good    jwe
	now     time.Time
}

func addJWTs(l *list, now time.Time) {
	m := &jwtMint{list: l, label: outerHeader(activeKey.kid(keys.JWT)), payload: jwtPayload(now), now: now}
	m.inner = jws(innerHeader, m.payload.String())
	m.good = seal(m.label, m.inner)
	m.addControls()
	addShapes(l, m.good.String())
	m.addParts()
	m.addBase64()
	m.addEnvelopeHeaders()
	m.addKids()
	m.addEnvelopes()
	m.addNesting()
	m.addSignedHeaders()
	m.addSignatures()
	addPayloads(l, m.payload, m.signed)
	m.addNumericDates()
	m.addOtherFormat()
}

// signed returns a token with these claims and nothing wrong with it.
func (m *jwtMint) signed(claims string) string { return m.sealed(jws(innerHeader, claims)) }

// sealed returns a token with this content.
func (m *jwtMint) sealed(content string) string { return seal(m.label, content).String() }

// under returns a token with this envelope header.
func (m *jwtMint) under(header string) string { return seal(header, m.inner).String() }

func jwtPayload(now time.Time) payload {
	start := now.Add(-time.Hour)
	iat := now.Add(-time.Minute).Unix()
	return payload{
		{"iss", `"example.com"`}, {"aud", `"web"`}, {"sub", `"alice"`},
		{"sid", quote(strings.Repeat("s", 22))}, {"jti", quote(strings.Repeat("i", 22))},
		{"auth_us", fmt.Sprint(start.UnixMicro())}, {"iat", fmt.Sprint(iat)},
		{"exp", fmt.Sprint(iat + 1800)}, {"end", fmt.Sprint(start.Unix() + 12*3600)},
		{"data", `{"Name":"Alice"}`},
	}
}

// addControls adds what is unusual and right.
func (m *jwtMint) addControls() {
	p := m.payload
	for name, claims := range inOrder(
		"as-minted", p.String(),
		"members-in-another-order", append(payload{p[9], p[4]}, append(p[:4:4], p[5:9]...)...).String(),
		"white-space", "{ \t\r\n"+p.String()[1:len(p.String())-1]+" } \n",
		"a-member-more", p.before("new", `{"a":[1,2.5e-3,null,true]}`).String(),
		"another-case-of-a-member", p.and("SUB", `"root"`).String(),
		"subject-in-escapes", p.with("sub", `"\u0061lice"`).String(),
		"subject-of-many-scripts", p.with("sub", `"Zoë 張 Ωμέγα 🙂"`).String(),
		"subject-of-255-bytes", p.with("sub", quote(strings.Repeat("x", 255))).String(),
		"data-null", p.with("data", "null").String(),
		"data-number", p.with("data", "12345678901234567890.5").String(),
		"data-as-deep-as-allowed", p.with("data", nested(15)).String(),
		"data-as-wide-as-allowed", p.with("data", wide(256)).String(),
		"number-as-long-as-allowed", p.with("data", strings.Repeat("7", 256)).String(),
		"data-large", p.with("data", quote(strings.Repeat("x", 3000))).String(),
		"ids-of-64", p.with("jti", quote(strings.Repeat("-", 64))).with("sid", quote(strings.Repeat("_", 64))).String(),
		"last-token-of-a-session", p.with("exp", p.get("end")).with("auth_us", fmt.Sprint(m.now.Add(-2*time.Hour).UnixMicro())).
			with("end", fmt.Sprint(m.now.Unix()+1800)).with("exp", fmt.Sprint(m.now.Unix()+1800)).String(),
	) {
		m.add("control/"+name, accept, m.signed(claims))
	}
	for name, k := range pairs("retired-key", retiredKey, "pre-published-key", nextKey) {
		label := enc(outerHeader(k.kid(keys.JWT)))
		m.add("control/"+name, accept, sealAs(k.seal, label, jwsOf(k, enc(innerHeader), enc(p.String())), label).String())
	}
}

// inOrder ranges over names and texts.
func inOrder(pairs ...string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for i := 0; i < len(pairs); i += 2 {
			if !yield(pairs[i], pairs[i+1]) {
				return
			}
		}
	}
}
