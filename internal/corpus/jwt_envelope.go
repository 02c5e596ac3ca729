package main

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"strings"
)

// addEnvelopes adds what is wrong with the encryption itself.
func (m *jwtMint) addEnvelopes() {
	m.addFlips()
	label, header := m.good.label, m.label
	for name, ek := range inOrder(
		"one-byte", "AA", "key-size", b64(activeKey.seal), "wrapped-key", b64(bytes.Repeat([]byte{7}, 40)), "one-letter", "A",
		"line-feed", "\n", "space", " ", "padding", "=", "kilobyte", strings.Repeat("A", 1024),
	) {
		j := m.good
		j.ek = ek
		m.add("envelope/encrypted-key-"+name, malformed, j.String())
	}
	for _, n := range []int{1, 8, 11, 13, 16, 24, 32} {
		j := sealWith(gcm(activeKey.seal, n), bytes.Repeat([]byte{9}, n), label, m.inner, label)
		m.add(fmt.Sprintf("envelope/nonce-of-%d", n), malformed, j.String())
	}
	for _, n := range []int{0, 1, 4, 8, 12, 13, 14, 15} {
		j := m.good
		j.tag = j.tag[:n]
		m.add(fmt.Sprintf("envelope/tag-of-%d", n), malformed, j.String())
	}
	for _, n := range []int{17, 24, 32} {
		j := m.good
		j.tag = append(bytes.Clone(j.tag), make([]byte, n-16)...)
		m.add(fmt.Sprintf("envelope/tag-of-%d", n), malformed, j.String())
	}
	m.addWrongSeals(label, header)
}

// addFlips changes a bit in each byte that could matter.
func (m *jwtMint) addFlips() {
	for i := range 12 {
		j := m.good
		j.nonce = flip(j.nonce, i)
		m.add(fmt.Sprintf("flip/nonce-%02d", i), invalid, j.String())
	}
	for i := range 16 {
		j := m.good
		j.tag = flip(j.tag, i)
		m.add(fmt.Sprintf("flip/tag-%02d", i), invalid, j.String())
	}
	for i := 0; i < len(m.good.ciphertext); i += 41 {
		j := m.good
		j.ciphertext = flip(j.ciphertext, i)
		m.add(fmt.Sprintf("flip/ciphertext-%03d", i), invalid, j.String())
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1 << (at % 8)
	return b
}

func (m *jwtMint) addWrongSeals(label, header string) {
	j := m.good
	j.tag = make([]byte, 16)
	m.add("envelope/tag-zero", invalid, j.String())
	j = m.good
	j.nonce = make([]byte, 12)
	m.add("envelope/nonce-zero", invalid, j.String())
	j = m.good
	j.ciphertext = j.ciphertext[:len(j.ciphertext)-1]
	m.add("envelope/ciphertext-cut", invalid, j.String())
	j = m.good
	j.ciphertext = append(bytes.Clone(j.ciphertext), 0)
	m.add("envelope/ciphertext-longer", invalid, j.String())
	j = m.good
	j.ciphertext = nil
	m.add("envelope/ciphertext-gone", invalid, j.String())
	j = m.good
	j.ciphertext = []byte(m.inner)
	m.add("envelope/not-encrypted", invalid, j.String())
	for name, aad := range inOrder("nothing", "", "the-plain-header", header, "the-header-and-a-dot", label+".", "another-header", enc(outerHeader("AAAAAAAAAAA"))) {
		m.add("envelope/bound-to-"+name, invalid, sealAs(activeKey.seal, label, m.inner, aad).String())
	}
	for name, secret := range inOrder(
		"zeros", string(make([]byte, 32)), "the-public-key", string(activeKey.public()), "the-seed", string(activeKey.sign.Seed()),
		"half-of-the-secret", string(activeKey.seal[:16]), "the-secret-reversed", reversed(string(activeKey.seal)),
	) {
		m.add("envelope/sealed-with-"+name, invalid, sealAs([]byte(secret), label, m.inner, label).String())
	}
	j = m.good
	j.ciphertext = counterMode(m.inner)
	m.add("envelope/counter-mode-without-tag", invalid, j.String())
}

func counterMode(text string) []byte {
	block, err := aes.NewCipher(activeKey.seal)
	must(err)
	out := make([]byte, len(text))
	cipher.NewCTR(block, make([]byte, 16)).XORKeyStream(out, []byte(text))
	return out
}

// addNesting adds contents of the envelope that are no signed token.
func (m *jwtMint) addNesting() {
	s := strings.Split(m.inner, ".")
	claims := m.payload.String()
	six := m.inner
	for range 6 {
		six = m.sealed(six)[:]
	}
	for name, content := range inOrder(
		"nothing", "",
		"claims", claims,
		"claims-in-base64", enc(claims),
		"claims-in-a-string", quote(enc(claims)),
		"sealed-twice", m.good.String(),
		"sealed-under-the-next-key", sealAs(nextKey.seal, enc(outerHeader("x")), m.inner, "").String(),
		"without-signature", s[0]+"."+s[1]+".",
		"without-signature-and-dot", s[0]+"."+s[1],
		"without-header", s[1]+"."+s[2],
		"without-payload", s[0]+".."+s[2],
		"four-parts", m.inner+"."+s[2],
		"dot-after", m.inner+".",
		"dot-before", "."+m.inner,
		"line-feed-after", m.inner+"\n",
		"space-before", " "+m.inner,
		"quoted", quote(m.inner),
		"in-an-object", `{"token":"`+m.inner+`"}`,
		"flattened-jws", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, s[0], s[1], s[2]),
		"deflated", deflated(m.inner),
		"dots", "...",
		"random-bytes", string(m.good.ciphertext),
		"two-tokens", m.inner+m.inner,
	) {
		want := malformed
		if name == "four-parts" || name == "two-tokens" || name == "without-payload" {
			want = invalid // the last 86 characters are no signature of the rest
		}
		if name == "dot-before" {
			want = malformed
		}
		m.add("nesting/"+name, want, m.sealed(content))
	}
	if len(six) > 7800 {
		six = m.sealed(m.sealed(m.good.String()))
	}
	m.add("nesting/sealed-many-times", malformed, six)
	m.add("nesting/bare-signed-token", malformed, m.inner)
	m.add("nesting/signed-around-sealed", malformed, jwsOf(activeKey, enc(`{"alg":"EdDSA","cty":"JWT","typ":"session+jwt"}`), enc(m.good.String())))
	m.add("nesting/signed-twice", malformed, m.sealed(jws(innerHeader, m.inner)))
	m.add("nesting/deflated-with-zip", malformed, seal(m.label[:len(m.label)-1]+`,"zip":"DEF"}`, deflated(m.inner)).String())
	bomb := deflated(strings.Repeat("a", 1<<20))
	m.add("nesting/zip-bomb", malformed, seal(m.label[:len(m.label)-1]+`,"zip":"DEF"}`, bomb).String())
	m.add("nesting/zip-bomb-without-zip", malformed, m.sealed(bomb))
}

func deflated(s string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	must(err)
	w.Write([]byte(s))
	must(w.Close())
	return b.String()
}
