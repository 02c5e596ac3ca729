package main

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20"

	"github.com/carnet-go/carnet/keys"
)

const (
	toSecond      = "2006-01-02T15:04:05Z"
	toMicrosecond = "2006-01-02T15:04:05.000000Z"
)

func pae(pieces ...string) string {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(pieces)))
	for _, p := range pieces {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	return string(b)
}

// bindingOf is the implicit assertion.
func bindingOf(purpose, issuer, audience string) string {
	return pae("carnet/v1", purpose, issuer, audience)
}

func footer(kid string) string { return `{"kid":"` + kid + `"}` }

// wrapped is the outer payload.
func wrapped(inner string) string { return `{"token":"` + inner + `"}` }

func signPAE(k material, pieces ...string) []byte { return k.signText(pae(pieces...)) }

// publicToken returns a v4.public.
func publicToken(k material, payload, footer, implicit string) string {
	sig := signPAE(k, "v4.public.", payload, footer, implicit)
	return joined("v4.public.", payload+string(sig), footer)
}

func joined(header, body, footer string) string {
	if footer == "" {
		return header + enc(body)
	}
	return header + enc(body) + "." + enc(footer)
}

// localToken returns a v4.local.
func localToken(secret []byte, payload, footer, implicit string) string {
	nonce, c, tag := encrypted(secret, payload, "v4.local.", footer, implicit)
	return joined("v4.local.", nonce+c+tag, footer)
}

// encrypted returns the three pieces of a body.
func encrypted(secret []byte, payload, header, footer, implicit string) (nonce, c, tag string) {
	sum := sha256.Sum256([]byte(payload + "\x00" + footer + "\x00" + implicit))
	nonce = string(sum[:])
	c = xor(secret, nonce, payload)
	tag = mac(32, mac(32, string(secret), "paseto-auth-key-for-aead"+nonce), pae(header, nonce, c, footer, implicit))
	return nonce, c, tag
}

func xor(secret []byte, nonce, text string) string {
	d := mac(56, string(secret), "paseto-encryption-key"+nonce)
	c, err := chacha20.NewUnauthenticatedCipher([]byte(d[:32]), []byte(d[32:]))
	must(err)
	out := []byte(text)
	c.XORKeyStream(out, out)
	return string(out)
}

func mac(size int, key, text string) string {
	h, err := blake2b.New(size, []byte(key))
	must(err)
	h.Write([]byte(text))
	return string(h.Sum(nil))
}

// A pasetoMint has what most of the tokens begin from.
type pasetoMint struct {
	*list
	footer   string // of the active key
	implicit string
	payload  payload
	inner    string // the signed token
	good     string
	now      time.Time
}

func addPASETOs(l *list, now time.Time) {
	m := &pasetoMint{list: l, footer: footer(activeKey.kid(keys.PASETO)), implicit: bindingOf("session", "example.com", "web"),
		payload: pasetoPayload(now), now: now}
	m.inner = publicToken(activeKey, m.payload.String(), "", m.implicit)
	m.good = m.sealed(m.inner)
	m.addControls()
	addShapes(l, m.good)
	m.addParts()
	m.addBase64()
	m.addHeaders()
	m.addFooters()
	m.addKids()
	m.addEnvelopes()
	m.addAssertions()
	m.addNesting()
	m.addSignatures()
	addPayloads(l, m.payload, m.signed)
	m.addDates()
	m.addOtherFormat()
}

// signed returns a token with these claims and nothing wrong with it.
func (m *pasetoMint) signed(claims string) string {
	return m.sealed(publicToken(activeKey, claims, "", m.implicit))
}

// sealed returns a token with this inner token.
func (m *pasetoMint) sealed(inner string) string { return m.around(wrapped(inner)) }

// around returns a token with this outer payload.
func (m *pasetoMint) around(payload string) string {
	return localToken(activeKey.seal, payload, m.footer, m.implicit)
}

func pasetoPayload(now time.Time) payload {
	start, iat := now.Add(-time.Hour).UTC(), now.Add(-time.Minute).UTC()
	at := func(t time.Time) string { return quote(t.Format(toSecond)) }
	return payload{
		{"iss", `"example.com"`}, {"sub", `"alice"`}, {"aud", `"web"`},
		{"exp", at(iat.Add(30 * time.Minute))}, {"iat", at(iat)},
		{"jti", quote(strings.Repeat("i", 22))}, {"sid", quote(strings.Repeat("s", 22))},
		{"auth_time", quote(start.Format(toMicrosecond))}, {"ends", at(start.Add(12 * time.Hour))},
		{"data", `{"Name":"Alice"}`},
	}
}

// addControls adds what is unusual and right.
func (m *pasetoMint) addControls() {
	p := m.payload
	for name, claims := range inOrder(
		"as-minted", p.String(),
		"members-in-another-order", append(payload{p[9], p[4]}, append(p[:4:4], p[5:9]...)...).String(),
		"white-space", "{ \t\r\n"+p.String()[1:len(p.String())-1]+" } \n",
		"a-member-more", p.before("new", `{"a":[1,2.5e-3,null,true]}`).String(),
		"another-case-of-a-member", p.and("SUB", `"root"`).String(),
		"subject-in-escapes", p.with("sub", `"\u0061lice"`).String(),
		"time-in-escapes", p.with("exp", `"\u0032`+p.get("exp")[2:]).String(),
		"subject-of-many-scripts", p.with("sub", `"Zoë 張 Ωμέγα 🙂"`).String(),
		"subject-of-255-bytes", p.with("sub", quote(strings.Repeat("x", 255))).String(),
		"data-null", p.with("data", "null").String(),
		"data-number", p.with("data", "12345678901234567890.5").String(),
		"data-as-deep-as-allowed", p.with("data", nested(15)).String(),
		"data-as-wide-as-allowed", p.with("data", wide(256)).String(),
		"number-as-long-as-allowed", p.with("data", strings.Repeat("7", 256)).String(),
		"data-large", p.with("data", quote(strings.Repeat("x", 3000))).String(),
		"ids-of-64", p.with("jti", quote(strings.Repeat("-", 64))).with("sid", quote(strings.Repeat("_", 64))).String(),
	) {
		m.add("control/"+name, accept, m.signed(claims))
	}
	for name, k := range pairs("retired-key", retiredKey, "pre-published-key", nextKey) {
		m.add("control/"+name, accept, localToken(k.seal, wrapped(publicToken(k, p.String(), "", m.implicit)), footer(k.kid(keys.PASETO)), m.implicit))
	}
}

// pairs ranges over two keys in order.
func pairs(name1 string, k1 material, name2 string, k2 material) func(func(string, material) bool) {
	return func(yield func(string, material) bool) { _ = yield(name1, k1) && yield(name2, k2) }
}
