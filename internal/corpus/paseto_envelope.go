package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/carnet-go/carnet/keys"
)

// addEnvelopes adds what is wrong with the encryption itself.
func (m *pasetoMint) addEnvelopes() {
	nonce, c, tag := encrypted(activeKey.seal, wrapped(m.inner), "v4.local.", m.footer, m.implicit)
	add := func(name string, want outcome, body string) {
		m.add("envelope/"+name, want, joined("v4.local.", body, m.footer))
	}
	for i := range 32 {
		m.add(fmt.Sprintf("flip/nonce-%02d", i), invalid, joined("v4.local.", string(flip([]byte(nonce), i))+c+tag, m.footer))
		m.add(fmt.Sprintf("flip/tag-%02d", i), invalid, joined("v4.local.", nonce+c+string(flip([]byte(tag), i)), m.footer))
	}
	for i := 0; i < len(c); i += 41 {
		m.add(fmt.Sprintf("flip/ciphertext-%03d", i), invalid, joined("v4.local.", nonce+string(flip([]byte(c), i))+tag, m.footer))
	}
	add("empty-content", malformed, bodyOf(activeKey.seal, "", m))
	add("too-short-by-one", malformed, nonce+tag[:31])
	add("nonce-alone", malformed, nonce)
	add("tag-alone", malformed, tag)
	add("nonce-and-tag", invalid, nonce+tag)
	add("zeros", invalid, strings.Repeat("\x00", 64))
	add("tag-zero", invalid, nonce+c+strings.Repeat("\x00", 32))
	add("nonce-zero", invalid, strings.Repeat("\x00", 32)+c+tag)
	add("tag-first", invalid, tag+nonce+c)
	add("nonce-last", invalid, c+tag+nonce)
	add("byte-more", invalid, nonce+c+tag+"\x00")
	add("byte-before", invalid, "\x00"+nonce+c+tag)
	add("not-encrypted", invalid, nonce+wrapped(m.inner)+tag)
	add("without-tag", invalid, nonce+c)
	for _, n := range []int{0, 1, 8, 16, 24, 31} {
		add(fmt.Sprintf("tag-of-%d", n), invalid, nonce+c+tag[:n])
	}
	for _, n := range []int{12, 16, 24, 31} {
		add(fmt.Sprintf("nonce-of-%d", n), invalid, nonce[:n]+c+tag)
	}
	add("tag-of-16-made-so", invalid, nonce+c+mac(16, mac(32, string(activeKey.seal), "paseto-auth-key-for-aead"+nonce), pae("v4.local.", nonce, c, m.footer, m.implicit)))
	m.addWrongTags(nonce, c)
	for name, secret := range inOrder(
		"zeros", string(make([]byte, 32)), "the-public-key", string(activeKey.public()), "the-seed", string(activeKey.sign.Seed()),
		"the-secret-reversed", reversed(string(activeKey.seal)), "another-ring", string(foreignKey.seal),
	) {
		add("sealed-with-"+name, invalid, bodyOf([]byte(secret), wrapped(m.inner), m))
	}
	aead, err := chacha20poly1305.NewX(activeKey.seal)
	must(err)
	add("as-in-version-2", invalid, nonce[:24]+string(aead.Seal(nil, []byte(nonce[:24]), []byte(wrapped(m.inner)), []byte(pae("v4.local.", nonce[:24], m.footer)))))
}

func bodyOf(secret []byte, payload string, m *pasetoMint) string {
	nonce, c, tag := encrypted(secret, payload, "v4.local.", m.footer, m.implicit)
	return nonce + c + tag
}

// addWrongTags adds tags over something else than the pre-authentication encoding
// of all five pieces.
func (m *pasetoMint) addWrongTags(nonce, c string) {
	key := mac(32, string(activeKey.seal), "paseto-auth-key-for-aead"+nonce)
	f, i := m.footer, m.implicit
	for name, text := range paeFaults("v4.local.", nonce, c, f, i) {
		m.add("pae/"+name, invalid, joined("v4.local.", nonce+c+mac(32, key, text), f))
	}
	good := pae("v4.local.", nonce, c, f, i)
	for name, wrong := range inOrder(
		"the-secret", string(activeKey.seal), "the-encryption-key", mac(56, string(activeKey.seal), "paseto-encryption-key"+nonce)[:32],
		"another-context", mac(32, string(activeKey.seal), "paseto-auth-key"+nonce), "no-nonce", mac(32, string(activeKey.seal), "paseto-auth-key-for-aead"),
		"zeros", string(make([]byte, 32)),
	) {
		m.add("envelope/tag-keyed-with-"+name, invalid, joined("v4.local.", nonce+c+mac(32, wrong, good), f))
	}
}

// paeFaults are wrong ways to encode pieces.
func paeFaults(pieces ...string) func(func(string, string) bool) {
	last := len(pieces) - 1
	text := strings.Join(pieces, "")
	good := pae(pieces...)
	bigEndian := binary.BigEndian.AppendUint64(nil, uint64(len(pieces)))
	for _, p := range pieces {
		bigEndian = append(binary.BigEndian.AppendUint64(bigEndian, uint64(len(p))), p...)
	}
	moved := append([]string{}, pieces...)
	moved[last], moved[last-1] = moved[last][1:], moved[last-1]+moved[last][:1]
	return inOrder(
		"joined", text,
		"joined-with-dots", strings.Join(pieces, "."),
		"without-the-implicit-assertion", pae(pieces[:last]...),
		"without-the-header", pae(pieces[1:]...),
		"empty-implicit-assertion", pae(append(pieces[:last:last], "")...),
		"a-piece-more", pae(append(pieces[:len(pieces):len(pieces)], "")...),
		"one-piece", pae(text),
		"boundary-moved", pae(moved...),
		"big-endian", string(bigEndian),
		"count-wrong", string(flip([]byte(good), 0)),
		"high-bit-of-the-count", good[:7]+"\x80"+good[8:],
		"without-the-count", good[8:],
		"nothing", "",
		"twice-encoded", pae(good),
	)
}

// addAssertions adds layers that are bound to something else: both, the outer one,
// and the inner one.
func (m *pasetoMint) addAssertions() {
	for name, implicit := range inOrder(
		"none", "", "of-a-refresh-token", bindingOf("refresh", "example.com", "web"), "of-a-challenge", bindingOf("challenge", "example.com", "web"),
		"of-no-purpose", bindingOf("", "example.com", "web"), "of-another-issuer", bindingOf("session", "example.org", "web"),
		"of-another-audience", bindingOf("session", "example.com", "api"), "of-no-issuer", bindingOf("session", "", "web"), "of-no-audience", bindingOf("session", "example.com", ""),
		"of-swapped-names", bindingOf("session", "web", "example.com"), "boundary-moved", bindingOf("session", "example.co", "mweb"), "purpose-moved", bindingOf("sessio", "nexample.com", "web"),
		"upper-case", bindingOf("SESSION", "example.com", "web"), "another-version", pae("carnet/v2", "session", "example.com", "web"), "without-version", pae("session", "example.com", "web"),
		"joined", "carnet/v1sessionexample.comweb", "json", `{"purpose":"session","iss":"example.com","aud":"web"}`, "byte-more", m.implicit+"\x00", "byte-less", m.implicit[:len(m.implicit)-1],
		"a-piece-more", pae("carnet/v1", "session", "example.com", "web", ""), "the-footer", m.footer,
	) {
		claims := m.payload.String()
		m.add("assertion/both-"+name, invalid, localToken(activeKey.seal, wrapped(publicToken(activeKey, claims, "", implicit)), m.footer, implicit))
		m.add("assertion/outer-"+name, invalid, localToken(activeKey.seal, wrapped(m.inner), m.footer, implicit))
		m.add("assertion/inner-"+name, invalid, m.sealed(publicToken(activeKey, claims, "", implicit)))
	}
}

// addNesting adds contents of the envelope that are no signed token.
func (m *pasetoMint) addNesting() {
	said := m.payload.String()
	for name, content := range inOrder(
		"nothing", "", "empty-object", "{}", "claims", said, "claims-in-base64", enc(said), "the-token-not-in-an-object", m.inner, "a-string", quote(m.inner),
		"an-array", "["+quote(m.inner)+"]", "another-name", `{"Token":"`+m.inner+`"}`, "escaped-name", `{"\u0074oken":"`+m.inner+`"}`, "a-space", `{"token": "`+m.inner+`"}`,
		"a-space-before", " "+wrapped(m.inner), "a-line-feed-after", wrapped(m.inner)+"\n", "a-member-more", `{"token":"`+m.inner+`","exp":"x"}`,
		"a-member-before", `{"exp":"x","token":"`+m.inner+`"}`, "the-name-twice", `{"token":"x","token":"`+m.inner+`"}`, "escaped-value", `{"token":"\u0076`+m.inner[1:]+`"}`,
		"cut", wrapped(m.inner)[:len(m.inner)], "byte-order-mark", "\ufeff"+wrapped(m.inner), "deflated", deflated(wrapped(m.inner)), "wrapped-twice", wrapped(wrapped(m.inner)),
		"token-as-object", `{"token":{"token":"`+m.inner+`"}}`, "token-null", `{"token":null}`,
	) {
		m.add("nesting/"+name, malformed, m.around(content))
	}
	many := m.good
	for range 3 {
		many = m.sealed(many)
	}
	for name, inner := range inOrder(
		"no-token", "", "sealed-twice", m.good, "sealed-four-times", many, "claims-as-token", enc(said), "unsigned", "v4.public."+enc(said)[:80],
		"inner-header-alone", "v4.public.", "line-feed-after", m.inner+"\n", "space-before", " "+m.inner, "quoted", `\"`+m.inner+`\"`,
		"inner-empty-footer", m.inner+".", "inner-five-parts", m.inner+".e30.e30", "inner-local", "v4.local."+m.inner[len("v4.public."):],
		"a-jwt", jws(innerHeader, jwtPayload(m.now).String()), "jwt-alg-none", "eyJhbGciOiJub25lIn0.e30.",
	) {
		m.add("nesting/"+name, malformed, m.sealed(inner))
	}
	m.add("nesting/bare-signed-token", malformed, m.inner)
	m.add("nesting/bare-signed-token-with-our-footer", malformed, publicToken(activeKey, said, m.footer, m.implicit))
	m.add("nesting/bare-signed-token-renamed", malformed, strings.Replace(publicToken(activeKey, said, m.footer, m.implicit), "public", "local", 1)+"A")
	m.add("nesting/signed-around-sealed", malformed, publicToken(activeKey, `{"token":"`+m.good+`"}`, m.footer, m.implicit))
	m.add("nesting/signed-twice", claims, m.sealed(publicToken(activeKey, wrapped(m.inner), "", m.implicit)))
	for name, f := range inOrder("empty-object", "{}", "ours", m.footer, "a-letter", "x", "claims", said) {
		m.add("nesting/inner-footer-"+name, invalid, m.sealed(publicToken(activeKey, said, f, m.implicit)))
		m.add("nesting/inner-footer-added-"+name, invalid, m.sealed(m.inner+"."+enc(f)))
	}
}

// addSignatures adds good claims with something else than their signature.
func (m *pasetoMint) addSignatures() {
	claims := m.payload.String()
	signing := pae("v4.public.", claims, "", m.implicit)
	genuine := signPAE(activeKey, "v4.public.", claims, "", m.implicit)
	add := func(name string, want outcome, sig string) { m.add(name, want, m.sealed("v4.public."+enc(claims+sig))) }
	for name, sig := range signatureFaults(activeKey, genuine, signing) {
		add("signature/"+name, invalid, sig)
	}
	for name, text := range paeFaults("v4.public.", claims, "", m.implicit) {
		add("signature/pae-"+name, invalid, string(activeKey.signText(text)))
	}
	add("signature/of-the-claims-alone", invalid, string(activeKey.signText(claims)))
	add("signature/of-the-hash", invalid, string(activeKey.signText(string(hash(signing)))))
	add("signature/of-another-header", invalid, string(signPAE(activeKey, "v3.public.", claims, "", m.implicit)))
	add("signature/of-other-claims", invalid, string(signPAE(activeKey, "v4.public.", m.payload.with("sub", `"root"`).String(), "", m.implicit)))
	add("signature/mac-with-the-public-key", invalid, mac(64, string(activeKey.public()), signing))
	add("signature/mac-with-the-secret", invalid, mac(64, string(activeKey.seal), signing))
	m.add("signature/first", invalid, m.sealed("v4.public."+enc(string(genuine)+claims)))
	m.add("signature/in-hex", invalid, m.sealed("v4.public."+enc(claims+fmt.Sprintf("%x", genuine))))
}

// addDates adds times that are not in our form or make no sense together.
func (m *pasetoMint) addDates() {
	p := m.payload
	for _, name := range []string{"exp", "iat", "ends", "auth_time"} {
		good := strings.Trim(p.get(name), `"`)
		day, clock := good[:10], strings.TrimSuffix(good[11:], "Z")
		for fault, value := range inOrder(
			"empty", "", "offset-zero", day+"T"+clock+"+00:00", "offset-minus-zero", day+"T"+clock+"-00:00", "another-zone", day+"T"+clock+"+01:00", "without-zone", day+"T"+clock,
			"space-for-t", day+" "+clock+"Z", "small-t", day+"t"+clock+"Z", "small-z", day+"T"+clock+"z", "comma", day+"T"+clock[:8]+",5Z", "fraction", day+"T"+clock[:8]+".5Z",
			"nanoseconds", day+"T"+clock[:8]+".123456789Z", "milliseconds", day+"T"+clock[:8]+".123Z", "dot-alone", day+"T"+clock[:8]+".Z", "day-alone", day, "clock-alone", clock+"Z", "without-seconds", day+"T"+clock[:5]+"Z",
			"hour-of-one-digit", day+"T1:00:00Z", "hour-24", day+"T24:00:00Z", "minute-60", day+"T10:60:00Z", "second-60", "2028-12-31T23:59:60Z", "february-30", "2028-02-30T10:00:00Z", "february-29", "2027-02-29T10:00:00Z",
			"month-13", "2028-13-01T10:00:00Z", "month-0", "2028-00-10T10:00:00Z", "day-0", "2028-01-00T10:00:00Z", "year-10000", "10000-01-01T00:00:00Z", "year-0", "0000-01-01T00:00:00Z", "negative-year", "-2028-01-01T00:00:00Z",
			"epoch", "1970-01-01T00:00:00Z", "before-the-epoch", "1969-12-31T23:59:59Z", "two-digit-year", good[2:], "compact", strings.NewReplacer("-", "", ":", "").Replace(good), "slashes", strings.ReplaceAll(good, "-", "/"),
			"week-date", "2028-W01-1T10:00:00Z", "http-date", "Mon, 02 Jan 2028 15:04:05 GMT", "unix-text", fmt.Sprint(m.now.Unix()+600), "words", "tomorrow", "infinity", "infinity",
			"space-after", good+" ", "space-before", " "+good, "line-feed-after", good+`\n`, "nul-after", good+`\u0000`, "twice", good+good, "full-width", strings.Replace(good, "2", "２", 1), "long", good+strings.Repeat("0", 1000),
		) {
			m.add("times/"+name+"-"+fault, claims, m.signed(p.with(name, quote(value)).String()))
		}
		m.add("times/"+name+"-as-unix-number", malformed, m.signed(p.with(name, fmt.Sprint(m.now.Unix()+600)).String()))
		m.add("times/"+name+"-as-huge-number", malformed, m.signed(p.with(name, strings.Repeat("9", 1000)).String()))
		m.add("times/"+name+"-as-1e400", malformed, m.signed(p.with(name, "1e400").String()))
	}
	m.add("times/auth_time-in-seconds", claims, m.signed(p.with("auth_time", quote(m.now.Add(-time.Hour).UTC().Format(toSecond))).String()))
	m.add("times/exp-in-microseconds", claims, m.signed(p.with("exp", quote(m.now.Add(time.Hour).UTC().Format(toMicrosecond))).String()))
	at := func(t time.Time) string { return quote(t.UTC().Format(toSecond)) }
	addOrders(m.list, m.now, func(start, iat, exp, end time.Time) string {
		return m.signed(p.with("auth_time", quote(start.UTC().Format(toMicrosecond))).with("iat", at(iat)).with("exp", at(exp)).with("ends", at(end)).String())
	})
}

// addOtherFormat adds JWTs, made with the keys of the PASETOs.
func (m *pasetoMint) addOtherFormat() {
	label := outerHeader(activeKey.kid(keys.JWT))
	inner := jws(innerHeader, jwtPayload(m.now).String())
	m.add("other-format/jwt-with-the-keys-of-the-paseto", unknownKey, seal(label, inner).String())
	m.add("other-format/jwt-under-the-kid-of-the-paseto", malformed, seal(outerHeader(activeKey.kid(keys.PASETO)), inner).String())
	m.add("other-format/jwt-signed-only", malformed, inner)
	m.add("other-format/jwt-around-the-inner-token", unknownKey, seal(label, m.inner).String())
	m.add("other-format/jwt-claims-inside", malformed, m.signed(jwtPayload(m.now).String()))
	m.add("other-format/jwt-behind-a-paseto-header", malformed, "v4.local."+seal(label, inner).String())
	m.add("other-format/jws-signature-inside", invalid, m.sealed("v4.public."+enc(m.payload.String()+string(activeKey.signText(enc(innerHeader)+"."+enc(m.payload.String()))))))
}
