package main

import (
	"fmt"
	"strings"

	"github.com/carnet-go/carnet/keys"
)

// split returns the encoded body and footer.
func (m *pasetoMint) split() (body, ending string) {
	p := strings.Split(m.good, ".")
	return p[2], p[3]
}

// addParts adds what is wrong with the number and the order of the parts.
func (m *pasetoMint) addParts() {
	body, ending := m.split()
	for name, tok := range inOrder(
		"without-version", "local."+body+"."+ending,
		"without-purpose", "v4."+body+"."+ending,
		"without-header", body+"."+ending,
		"without-body", "v4.local."+ending,
		"without-footer", "v4.local."+body,
		"body-empty", "v4.local.."+ending,
		"footer-empty", "v4.local."+body+".",
		"header-alone", "v4.local.",
		"header-and-dot", "v4.local..",
		"footer-twice", m.good+"."+ending,
		"body-twice", "v4.local."+body+"."+body+"."+ending,
		"header-twice", "v4.local."+m.good,
		"version-twice", "v4."+m.good,
		"body-and-footer-swapped", "v4.local."+ending+"."+body,
		"purpose-first", "local.v4."+body+"."+ending,
		"five-parts", m.good+".e30",
		"six-parts", m.good+".e30.e30",
		"empty-part-before-the-footer", "v4.local."+body+".."+ending,
		"dot-in-the-body", "v4.local."+body[:40]+"."+body[40:]+"."+ending,
		"colons-for-dots", strings.ReplaceAll(m.good, ".", ":"),
		"json", fmt.Sprintf(`{"version":"v4","purpose":"local","payload":%q,"footer":%q}`, body, ending),
		"bare-payload", m.payload.String(),
		"base64-payload", enc(m.payload.String()),
	) {
		m.add("parts/"+name, malformed, tok)
	}
}

// addBase64 adds what is wrong with the writing of a part, outside and inside.
func (m *pasetoMint) addBase64() {
	body, ending := m.split()
	for name, altered := range base64Faults(body) {
		if name != "empty" {
			m.add("base64/body-"+name, malformed, "v4.local."+altered+"."+ending)
		}
	}
	for name, altered := range base64Faults(ending) {
		if name != "empty" {
			m.add("base64/footer-"+name, malformed, "v4.local."+body+"."+altered)
		}
	}
	for n := range 3 {
		// One of three lengths has loose bits.
		tok := m.around(wrapped(m.inner) + strings.Repeat(" ", n))
		body, ending := strings.Split(tok, ".")[2], strings.Split(tok, ".")[3]
		if loose, ok := looseBits(body); ok {
			m.add(fmt.Sprintf("base64/body-loose-bits-%d", n), malformed, "v4.local."+loose+"."+ending)
		}
	}
	inner := strings.TrimPrefix(m.inner, "v4.public.")
	for name, altered := range base64Faults(inner) {
		m.add("base64/inner-body-"+name, malformed, m.sealed("v4.public."+altered))
	}
	for n := range 3 {
		tok := publicToken(activeKey, m.payload.String()+strings.Repeat(" ", n), "", m.implicit)
		if loose, ok := looseBits(tok[len("v4.public."):]); ok {
			m.add(fmt.Sprintf("base64/inner-body-loose-bits-%d", n), malformed, m.sealed("v4.public."+loose))
		}
	}
}

// addHeaders adds genuine bodies under other headers, bound to them or not.
func (m *pasetoMint) addHeaders() {
	body, ending := m.split()
	for _, header := range []string{
		"v1.local.", "v2.local.", "v3.local.", "v5.local.", "v6.local.", "v04.local.", "v4c.local.", "v40.local.", "v.local.", "4.local.",
		"v4.public.", "v3.public.", "v2.public.", "v4.secret.", "v4.none.", "v4.Local.", "V4.local.", "v4.LOCAL.", "v4.local ", "v4.locаl.",
		"v4.local-wrap.", "k4.local.", "k4.seal.", "v4.lid.", "v4..", ".v4.local.", "v4.local-", "v4.local\n.", "v4.local\x00.",
	} {
		name := fileName(strings.NewReplacer("\n", "lf", ".", "_", "-", "dash", "а", "cyrillic-a").Replace(header))
		m.add("header/"+name, malformed, header+body+"."+ending)
		nonce, c, tag := encrypted(activeKey.seal, wrapped(m.inner), header, m.footer, m.implicit)
		m.add("header/"+name+"-bound", malformed, joined(header, nonce+c+tag, m.footer))
	}
	for _, header := range []string{"v3.public.", "v2.public.", "v1.public.", "v4.Public.", "v4.local.", "v5.public.", "v4.secret.", "v4.none.", "V4.public.", ""} {
		sig := signPAE(activeKey, header, m.payload.String(), "", m.implicit)
		name := fileName(strings.ReplaceAll(header, ".", "_"))
		m.add("inner-header/"+name, malformed, m.sealed(header+enc(m.payload.String()+string(sig))))
	}
}

// addFooters adds tokens that are bound to another footer than ours.
func (m *pasetoMint) addFooters() {
	kid := activeKey.kid(keys.PASETO)
	bound := func(name string, want outcome, f string) {
		m.add("footer/"+name, want, localToken(activeKey.seal, wrapped(m.inner), f, m.implicit))
	}
	for name, f := range inOrder(
		"the-kid-alone", kid, "empty-object", "{}", "null", "null", "array", "["+m.footer+"]", "text", "alice", "space-inside", `{"kid": "`+kid+`"}`,
		"space-after", m.footer+" ", "space-before", " "+m.footer, "line-feed-after", m.footer+"\n", "nul-after", m.footer+"\x00",
		"a-member-more", `{"kid":"`+kid+`","a":1}`, "a-member-before", `{"a":1,"kid":"`+kid+`"}`, "kid-twice", `{"kid":"x","kid":"`+kid+`"}`,
		"kid-twice-the-same", `{"kid":"`+kid+`","kid":"`+kid+`"}`, "upper-case-name", `{"KID":"`+kid+`"}`, "escaped-name", `{"\u006bid":"`+kid+`"}`,
		"kelvin-sign", `{"Kid":"`+kid+`"}`, "escaped-value", `{"kid":"\u006b`+kid[1:]+`"}`, "byte-order-mark", "\ufeff"+m.footer, "bad-utf-8", `{"kid":"`+kid+"\xff\"}",
		"single-quotes", `{'kid':'`+kid+`'}`, "cut", m.footer[:len(m.footer)-1], "two-objects", m.footer+m.footer, "deep", nested(500), "large", strings.Repeat("x", 2000),
		"wrapped-key", `{"kid":"`+kid+`","wpk":"k4.local-wrap.pie.AAAA"}`, "claims", m.payload.String(), "kid-null", `{"kid":null}`, "kid-number", `{"kid":4}`,
		"kid-array", `{"kid":["`+kid+`"]}`, "key-itself", `{"key":"`+b64(activeKey.public())+`"}`, "trailing-comma", `{"kid":"`+kid+`",}`,
	) {
		bound(name, malformed, f)
	}
	body, _ := m.split()
	other := footer(nextKey.kid(keys.PASETO))
	m.add("footer/exchanged-for-the-pre-published-key", invalid, "v4.local."+body+"."+enc(other))
	m.add("footer/exchanged-for-the-retired-key", invalid, "v4.local."+body+"."+enc(footer(retiredKey.kid(keys.PASETO))))
	m.add("footer/added-afterwards", invalid, localToken(activeKey.seal, wrapped(m.inner), "", m.implicit)+"."+enc(m.footer))
	m.add("footer/none", malformed, localToken(activeKey.seal, wrapped(m.inner), "", m.implicit))
}

// addKids adds footers that name another key than the one that sealed the token.
func (m *pasetoMint) addKids() {
	own := activeKey.kid(keys.PASETO)
	text := strings.TrimPrefix(own, "k4.lid.")
	sealed := func(kid string) string { return localToken(activeKey.seal, wrapped(m.inner), footer(kid), m.implicit) }
	for name, kid := range inOrder(
		"empty", "", "pid", "k4.pid."+text, "sid", "k4.sid."+text, "version-3", "k3.lid."+text, "version-2", "k2.lid."+text, "capital", "K4.lid."+text,
		"without-type", text, "short", own[:len(own)-1], "long", own+"A", "padded", own[:len(own)-1]+"=", "plus", own[:len(own)-1]+"+", "slash", own[:len(own)-1]+"/",
		"space", own[:len(own)-1]+" ", "line-feed", own[:len(own)-1]+"\n", "escaped-line-feed", own[:len(own)-2]+`\n`, "nul", own[:len(own)-1]+"\x00", "dot", own[:len(own)-1]+".",
		"path", "../../../../dev/null", "path-of-length", "k4.lid."+strings.Repeat("../", 14)+"ab", "sql", "' OR 1=1 --", "long-1000", strings.Repeat("A", 1000),
		"of-a-jwt", activeKey.kid(keys.JWT), "the-key-itself", "k4.local."+b64(activeKey.seal), "quote", own[:len(own)-2]+`\"`,
	) {
		m.add("kid/"+name, malformed, sealed(kid))
	}
	for name, kid := range inOrder("zeros", strings.Repeat("A", 44), "all-bits", strings.Repeat("_", 44), "invented", strings.Repeat("abcd", 11), "upper-case", strings.ToUpper(text)) {
		m.add("kid/"+name, unknownKey, sealed("k4.lid."+kid))
	}
	of := func(k material, f string) string {
		return localToken(k.seal, wrapped(publicToken(k, m.payload.String(), "", m.implicit)), f, m.implicit)
	}
	m.add("kid/of-another-ring", unknownKey, of(foreignKey, footer(foreignKey.kid(keys.PASETO))))
	m.add("kid/of-the-revoked-key", revokedKey, of(revokedOne, footer(revokedOne.kid(keys.PASETO))))
	m.add("kid/names-the-revoked-key", revokedKey, of(activeKey, footer(revokedOne.kid(keys.PASETO))))
	for name, k := range pairs("retired", retiredKey, "pre-published", nextKey) {
		m.add("kid/names-the-"+name+"-key", invalid, of(activeKey, footer(k.kid(keys.PASETO))))
		m.add("kid/sealed-with-the-"+name+"-key", invalid, of(k, m.footer))
		m.add("kid/signed-with-the-"+name+"-key", invalid, m.sealed(publicToken(k, m.payload.String(), "", m.implicit)))
	}
	m.add("kid/sealed-with-another-ring", invalid, of(foreignKey, m.footer))
	m.add("kid/signed-with-another-ring", invalid, m.sealed(publicToken(foreignKey, m.payload.String(), "", m.implicit)))
}
