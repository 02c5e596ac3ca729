package main

import (
	"fmt"
	"slices"
	"strings"
)

// addParts adds what is wrong with the number and the order of the parts.
func (m *jwtMint) addParts() {
	p := m.good.parts()
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	names := []string{"header", "key", "nonce", "ciphertext", "tag"}
	for i, name := range names {
		m.add("parts/without-"+name, malformed, join(slices.Delete(slices.Clone(p), i, i+1)...))
		m.add("parts/"+name+"-twice", malformed, join(slices.Insert(slices.Clone(p), i, p[i])...))
		if p[i] != "" {
			emptied := slices.Clone(p)
			emptied[i] = ""
			want := malformed
			if name == "ciphertext" {
				want = invalid // one of no bytes
			}
			m.add("parts/"+name+"-empty", want, join(emptied...))
		}
	}
	for i := range names[1:] {
		swapped := slices.Clone(p)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		m.add(fmt.Sprintf("parts/%s-and-%s-swapped", names[i], names[i+1]), malformed, join(swapped...))
	}
	slices.Reverse(p)
	m.add("parts/reversed", malformed, join(p...))
	m.addSerialisations()
}

// addSerialisations adds the JSON forms (RFC 7515 and 7516, section 7.2), which
// are none of a JWT (RFC 7519 section 1).
func (m *jwtMint) addSerialisations() {
	p := m.good.parts()
	flat := fmt.Sprintf(`"protected":%q,"iv":%q,"ciphertext":%q,"tag":%q`, p[0], p[2], p[3], p[4])
	s := strings.Split(m.inner, ".")
	for name, tok := range inOrder(
		"flattened-jwe", "{"+flat+"}",
		"general-jwe", "{"+flat+`,"recipients":[{}]}`,
		"general-jwe-two-recipients", "{"+flat+`,"recipients":[{},{"header":{"alg":"none"}}]}`,
		"unprotected-header", "{"+flat+`,"unprotected":{"kid":"x"}}`,
		"flattened-jws", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, s[0], s[1], s[2]),
		"general-jws", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, s[1], s[0], s[2]),
		"polyglot", m.good.String()+`{"protected":"e30"}`,
		"polyglot-first", `{"a":".`+m.good.String()+`."}`,
		"bare-payload", m.payload.String(),
		"base64-payload", enc(m.payload.String()),
	) {
		m.add("serialisation/"+name, malformed, tok)
	}
}

// addBase64 adds what is wrong with the writing of a part, outside and inside.
func (m *jwtMint) addBase64() {
	for i, part := range []string{"header", "", "nonce", "ciphertext", "tag"} {
		if part == "" {
			continue // it is empty
		}
		p := m.good.parts()
		text := p[i]
		for name, altered := range base64Faults(text) {
			if name == "empty" {
				continue // one of addParts
			}
			p[i] = altered
			want := malformed
			if part == "ciphertext" && name == "null" {
				want = invalid // four good letters
			}
			m.add("base64/"+part+"-"+name, want, strings.Join(p, "."))
		}
		if loose, ok := looseBits(text); ok {
			p[i] = loose
			m.add("base64/"+part+"-loose-bits", malformed, strings.Join(p, "."))
		}
	}
	for i, part := range []string{"signed-header", "payload", "signature"} {
		p := strings.Split(m.inner, ".")
		text := p[i]
		for name, altered := range base64Faults(text) {
			p[i] = altered
			want := malformed
			if part == "payload" {
				want = invalid // its signature is another's
			}
			m.add("base64/"+part+"-"+name, want, m.sealed(strings.Join(p, ".")))
		}
		if loose, ok := looseBits(text); ok && part != "payload" {
			p[i] = loose
			m.add("base64/"+part+"-loose-bits", malformed, m.sealed(strings.Join(p, ".")))
		}
	}
	m.addSignedBase64()
}

// addSignedBase64 adds bad writings of the payload with a signature that holds.
func (m *jwtMint) addSignedBase64() {
	header, text := enc(innerHeader), enc(m.payload.String())
	for name, altered := range base64Faults(text) {
		m.add("base64/signed-payload-"+name, malformed, m.sealed(jwsOf(activeKey, header, altered)))
	}
	spaced := enc(m.payload.String() + " ")
	if loose, ok := looseBits(spaced); ok {
		m.add("base64/signed-payload-loose-bits", malformed, m.sealed(jwsOf(activeKey, header, loose)))
	}
}
