package main

import (
	"fmt"
	"strings"

	"github.com/carnet-go/carnet/keys"
)

// noneSpellings are alg values that some library took for "none".
var noneSpellings = []string{
	`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `"nonE"`, `"none "`, `" none"`, `"none\u0000"`, `"n\u006fne"`, `"ｎone"`, `"nоne"`,
	`""`, `" "`, `null`, `false`, `0`, `[]`, `{}`, `["none"]`, `["EdDSA","none"]`,
}

// foreignParameters are header parameters with which a token asks for another
// treatment, or brings its own key.
func foreignParameters() func(func(string, string) bool) {
	ownKey := fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, b64(activeKey.public()))
	return inOrder(
		"zip-def", `"zip":"DEF"`,
		"zip-empty", `"zip":""`,
		"zip-null", `"zip":null`,
		"crit-empty", `"crit":[]`,
		"crit-null", `"crit":null`,
		"crit-string", `"crit":"exp"`,
		"crit-number", `"crit":[1]`,
		"crit-alg", `"crit":["alg"]`,
		"crit-exp", `"crit":["exp"],"exp":9999999999`,
		"crit-unknown", `"crit":["x"],"x":1`,
		"crit-absent-name", `"crit":["x"]`,
		"crit-twice-the-name", `"crit":["x","x"],"x":1`,
		"crit-b64-false", `"crit":["b64"],"b64":false`,
		"crit-b64-true", `"crit":["b64"],"b64":true`,
		"b64-false", `"b64":false`,
		"b64-true", `"b64":true`,
		"jwk", `"jwk":`+ownKey,
		"jwk-empty", `"jwk":{}`,
		"jku", `"jku":"http://127.0.0.1:9/jwks.json"`,
		"x5u", `"x5u":"http://127.0.0.1:9/cert.pem"`,
		"x5c", `"x5c":["MIIB"]`,
		"x5t", `"x5t":"AAAAAAAAAAAAAAAAAAAAAAAAAAA"`,
		"x5t-s256", `"x5t#S256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`,
		"epk", `"epk":`+ownKey,
		"p2c", `"p2c":2147483647,"p2s":"AAAAAAAAAAA"`,
		"url", `"url":"https://example.com"`,
		"nonce", `"nonce":"abc"`,
		"iss", `"iss":"example.com"`,
		"sub", `"sub":"root"`,
		"exp", `"exp":9999999999`,
		"unknown", `"x":1`,
		"empty-name", `"":1`,
		"deep", `"x":`+nested(500),
	)
}

// rewritings say a header in another way. Some say the same.
func rewritings(header string) func(func(string, string) bool) {
	return inOrder(
		"empty", "",
		"empty-object", "{}",
		"null", "null",
		"array", "["+header+"]",
		"string", quote("x"),
		"two-objects", header+header,
		"byte-after", header+"\x00",
		"space-after", header+" ",
		"space-before", " "+header,
		"line-feed-after", header+"\n",
		"space-inside", strings.Replace(header, ",", ", ", 1),
		"space-after-colon", strings.Replace(header, ":", ": ", 1),
		"trailing-comma", header[:len(header)-1]+",}",
		"byte-order-mark", "\ufeff"+header,
		"utf-16-le", utf16(header, false),
		"utf-16-be", utf16(header, true),
		"comment", "{/**/"+header[1:],
		"single-quotes", strings.ReplaceAll(header, `"`, `'`),
		"name-in-escapes", strings.Replace(header, `"alg"`, `"\u0061lg"`, 1),
		"value-in-escapes", strings.Replace(header, `"JWT"`, `"\u004aWT"`, 1)+strings.Repeat(" ", strings.Count(header, "EdDSA")),
		"upper-case-name", strings.Replace(header, `"alg"`, `"ALG"`, 1),
		"bad-utf-8", header[:len(header)-1]+",\"x\":\"\xff\"}",
		"cut", header[:len(header)-1],
	)
}

// addEnvelopeHeaders adds envelopes that are sealed with the right key and bound
// to another header.
func (m *jwtMint) addEnvelopeHeaders() {
	for name, header := range rewritings(m.label) {
		m.add("envelope-header/"+name, malformed, m.under(header))
	}
	for name, more := range foreignParameters() {
		m.add("envelope-header/"+name, malformed, m.under(m.label[:len(m.label)-1]+","+more+"}"))
		m.add("envelope-header/"+name+"-first", malformed, m.under("{"+more+","+m.label[1:]))
	}
	m.add("envelope-header/typ-jwt", malformed, m.under(strings.Replace(m.label, `{`, `{"typ":"JWT",`, 1)))
	m.add("envelope-header/alg-last", malformed, m.under(`{`+m.label[len(`{"alg":"dir",`):len(m.label)-1]+`,"alg":"dir"}`))
	m.add("envelope-header/alg-twice", malformed, m.under(`{"alg":"none",`+m.label[1:]))
	m.add("envelope-header/alg-twice-same", malformed, m.under(`{"alg":"dir",`+m.label[1:]))
	m.add("envelope-header/kid-twice", malformed, m.under(m.label[:len(m.label)-1]+`,"kid":"x"}`))
	for _, name := range []string{"alg", "cty", "enc", "kid"} {
		m.add("envelope-header/without-"+name, malformed, m.under(withoutParameter(m.label, name)))
	}
	m.addEnvelopeValues()
}

func withoutParameter(header, name string) string {
	at := strings.Index(header, quote(name))
	rest := header[at:]
	value := strings.IndexAny(rest, ",}")
	return strings.Replace(strings.Replace(header[:at]+strings.TrimPrefix(rest[value:], ","), ",}", "}", 1), "{,", "{", 1)
}

func (m *jwtMint) addEnvelopeValues() {
	for i, none := range noneSpellings {
		m.add(fmt.Sprintf("envelope-header/alg-none-%02d", i), malformed, m.under(strings.Replace(m.label, `"dir"`, none, 1)))
		m.add(fmt.Sprintf("envelope-header/enc-none-%02d", i), malformed, m.under(strings.Replace(m.label, `"A256GCM"`, none, 1)))
	}
	for _, alg := range []string{
		"DIR", "Dir", "dir ", "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "A128KW", "A256KW", "A256GCMKW", "ECDH-ES",
		"ECDH-ES+A256KW", "PBES2-HS256+A128KW", "PBES2-HS512+A256KW", "HS256", "EdDSA", "Ed25519", "RS256", "ES256",
	} {
		m.add("envelope-header/alg-"+fileName(alg), malformed, m.under(strings.Replace(m.label, `"dir"`, quote(alg), 1)))
	}
	for _, value := range []string{"A128GCM", "A192GCM", "a256gcm", "A256GCM ", "A256CBC-HS512", "A128CBC-HS256", "XC20P", "A256ECB"} {
		m.add("envelope-header/enc-"+fileName(value), malformed, m.under(strings.Replace(m.label, `"A256GCM"`, quote(value), 1)))
	}
	for _, cty := range []string{"jwt", "Jwt", "JWT ", "application/jwt", "JWS", "JSON", "session+jwt", ""} {
		m.add("envelope-header/cty-"+fileName(cty), malformed, m.under(strings.Replace(m.label, `"JWT"`, quote(cty), 1)))
	}
}

// fileName makes the name of a fault from a value.
func fileName(s string) string {
	if s == "" {
		return "empty"
	}
	return strings.NewReplacer(" ", "_", "/", "_", "\x00", "nul", ";", "_", "=", "_").Replace(s)
}

// addKids adds envelopes that name another key than the one they are sealed with.
func (m *jwtMint) addKids() {
	own := activeKey.kid(keys.JWT)
	kid := func(value string) string { return strings.Replace(m.label, quote(own), value, 1) }
	for name, value := range inOrder(
		"empty", `""`, "null", `null`, "number", `1`, "object", `{}`, "array", `["`+own+`"]`, "true", `true`,
		"short", quote(own[:10]), "long", quote(own+"A"), "long-1000", quote(strings.Repeat("A", 1000)),
		"space-after", quote(own+" "), "line-feed", quote(own+`\n`), "nul", quote(own+`\u0000`),
		"raw-line-feed", quote(own[:10]+"\n"), "raw-nul", quote(own[:10]+"\x00"), "dot", quote(own[:10]+"."),
		"padded", quote(own[:10]+"="), "plus", quote(own[:10]+"+"), "slash", quote(own[:10]+"/"), "quote", quote(own[:9]+`\"`),
		"path", `"../../dev/null"`, "path-of-eleven", `"../ring.jso"`, "dev-null", `"/dev/null//"`,
		"sql", `"' OR 1=1 --"`, "shell", `"$(reboot)ab"`, "redis", `"*1\r\n$8\r\nFLUSHALL"`, "url", `"http://127.0.0.1:9/"`,
		"format", `"%s%s%s%s%n0"`, "loose-bits", quote(mustLoose(own)), "escaped", `"\u00`+fmt.Sprintf("%02x", own[0])+own[1:]+`"`,
		"paserk", quote(activeKey.kid(keys.PASETO)), "thumbprint", quote(strings.Repeat("A", 43)),
	) {
		m.add("kid/"+name, malformed, m.under(kid(value)))
	}
	label := enc(outerHeader(own))
	for name, k := range pairs("retired", retiredKey, "pre-published", nextKey) {
		other := enc(outerHeader(k.kid(keys.JWT)))
		m.add("kid/names-the-"+name+"-key", invalid, sealAs(activeKey.seal, other, m.inner, other).String())
		m.add("kid/sealed-with-the-"+name+"-key", invalid, sealAs(k.seal, label, jwsOf(k, enc(innerHeader), enc(m.payload.String())), label).String())
		m.add("kid/renamed-to-the-"+name+"-key", invalid, strings.Replace(m.good.String(), label, other, 1))
		m.add("kid/signed-with-the-"+name+"-key", invalid, m.sealed(jwsOf(k, enc(innerHeader), enc(m.payload.String()))))
	}
	m.addUnknownKids(label)
}

func (m *jwtMint) addUnknownKids(label string) {
	of := func(k material) string {
		l := enc(outerHeader(k.kid(keys.JWT)))
		return sealAs(k.seal, l, jwsOf(k, enc(innerHeader), enc(m.payload.String())), l).String()
	}
	m.add("kid/of-another-ring", unknownKey, of(foreignKey))
	m.add("kid/of-the-revoked-key", revokedKey, of(revokedOne))
	revoked := enc(outerHeader(revokedOne.kid(keys.JWT)))
	m.add("kid/names-the-revoked-key", revokedKey, sealAs(activeKey.seal, revoked, m.inner, revoked).String())
	for name, kid := range inOrder("zeros", "AAAAAAAAAAA", "dashes", "----------8", "invented", "abcdefghijk", "all-bits", "__________8") {
		l := outerHeader(kid)
		m.add("kid/"+name, unknownKey, m.under(l))
	}
	m.add("kid/sealed-with-another-ring", invalid, sealAs(foreignKey.seal, label, m.inner, label).String())
	m.add("kid/signed-with-another-ring", invalid, m.sealed(jwsOf(foreignKey, enc(innerHeader), enc(m.payload.String()))))
}

func mustLoose(s string) string {
	loose, ok := looseBits(s)
	if !ok {
		panic("no loose bits in " + s)
	}
	return loose
}
