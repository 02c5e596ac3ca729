package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"

	"github.com/carnet-go/carnet/keys"
)

// addSignedHeaders adds signed tokens with another header than ours, whose
// signatures hold.
func (m *jwtMint) addSignedHeaders() {
	claims := m.payload.String()
	add := func(name string, want outcome, header string) {
		m.add("signed-header/"+name, want, m.sealed(jws(header, claims)))
	}
	for name, header := range rewritings(innerHeader) {
		add(name, malformed, header)
	}
	for name, more := range foreignParameters() {
		add(name, malformed, innerHeader[:len(innerHeader)-1]+","+more+"}")
		add(name+"-first", malformed, "{"+more+","+innerHeader[1:])
	}
	for i, none := range noneSpellings {
		header := strings.Replace(innerHeader, `"EdDSA"`, none, 1)
		add(fmt.Sprintf("alg-none-%02d", i), malformed, header)
		m.add(fmt.Sprintf("signed-header/alg-none-%02d-unsigned", i), malformed, m.sealed(enc(header)+"."+enc(claims)+"."))
	}
	for _, alg := range []string{"Ed25519", "Ed448", "eddsa", "EDDSA", "EdDSA ", "HS256", "HS512", "RS256", "PS256", "ES256", "ES512", "dir"} {
		add("alg-"+fileName(alg), malformed, strings.Replace(innerHeader, "EdDSA", alg, 1))
	}
	for _, typ := range []string{
		"JWT", "jwt", "at+jwt", "session", "session+JWT", "Session+jwt", "SESSION+JWT", "session+jwt ", "application/session+jwt",
		"session+jwt;v=1", "session+jwt+jwt", "logout+jwt", "dpop+jwt", "session+paseto", "",
	} {
		add("typ-"+fileName(typ), malformed, strings.Replace(innerHeader, "session+jwt", typ, 1))
	}
	add("typ-refresh", binding, strings.Replace(innerHeader, "session", "refresh", 1))
	add("typ-challenge", binding, strings.Replace(innerHeader, "session", "challenge", 1))
	add("typ-null", malformed, `{"alg":"EdDSA","typ":null}`)
	add("typ-array", malformed, `{"alg":"EdDSA","typ":["session+jwt"]}`)
	add("without-typ", malformed, `{"alg":"EdDSA"}`)
	add("without-alg", malformed, `{"typ":"session+jwt"}`)
	add("typ-first", malformed, `{"typ":"session+jwt","alg":"EdDSA"}`)
	add("typ-twice", malformed, `{"alg":"EdDSA","typ":"refresh+jwt","typ":"session+jwt"}`)
	add("kid-as-outside", malformed, `{"alg":"EdDSA","kid":"`+activeKey.kid(keys.JWT)+`","typ":"session+jwt"}`)
	add("cty", malformed, `{"alg":"EdDSA","cty":"JWT","typ":"session+jwt"}`)
}

// addSignatures adds good headers and claims with something else than their
// signature.
func (m *jwtMint) addSignatures() {
	header, claims := enc(innerHeader), enc(m.payload.String())
	signing := header + "." + claims
	genuine := ed25519.Sign(activeKey.sign, []byte(signing))
	for name, sig := range signatureFaults(activeKey, genuine, signing) {
		want := invalid
		if len(sig) != ed25519.SignatureSize {
			want = malformed
		}
		m.add("signature/"+name, want, m.sealed(signing+"."+b64([]byte(sig))))
	}
	other := ed25519.Sign(activeKey.sign, []byte(header+"."+enc(m.payload.with("sub", `"root"`).String())))
	m.add("signature/of-other-claims", invalid, m.sealed(signing+"."+b64(other)))
	m.add("signature/of-plain-text", invalid, m.sealed(signing+"."+b64(ed25519.Sign(activeKey.sign, []byte(innerHeader+"."+m.payload.String())))))
	m.add("signature/of-claims-alone", invalid, m.sealed(signing+"."+b64(ed25519.Sign(activeKey.sign, []byte(claims)))))
	m.add("signature/of-header-alone", invalid, m.sealed(signing+"."+b64(ed25519.Sign(activeKey.sign, []byte(header)))))
	m.add("signature/of-the-hash", invalid, m.sealed(signing+"."+b64(ed25519.Sign(activeKey.sign, hash(signing)))))
	m.addHMACs(claims)
}

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// addHMACs adds tokens whose MAC is keyed with what everybody may know.
func (m *jwtMint) addHMACs(claims string) {
	pub := activeKey.public()
	der, err := x509.MarshalPKIXPublicKey(pub)
	must(err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	for name, key := range inOrder(
		"raw", string(pub), "hex", hex.EncodeToString(pub), "base64url", b64(pub), "der", string(der), "pem", text,
		"pem-no-newline", strings.TrimSpace(text), "jwk", fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":%q}`, b64(pub)),
		"empty", "", "kid", activeKey.kid(keys.JWT), "secret", string(activeKey.seal), "the-word-secret", "secret",
	) {
		for _, header := range []string{`{"alg":"HS256","typ":"session+jwt"}`, innerHeader} {
			signing := enc(header) + "." + claims
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(signing))
			label := map[bool]string{true: "-and-eddsa", false: ""}[header == innerHeader]
			m.add("hmac/"+name+label, malformed, m.sealed(signing+"."+b64(mac.Sum(nil))))
			m.add("hmac/"+name+label+"-filled-up", map[bool]outcome{true: invalid, false: malformed}[header == innerHeader],
				m.sealed(signing+"."+b64(append(mac.Sum(nil), mac.Sum(nil)...))))
		}
	}
}

// signatureFaults are what lax verifiers took for a signature of message.
func signatureFaults(k material, genuine []byte, message string) func(func(string, string) bool) {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	sig := string(genuine)
	r, s := sig[:32], sig[32:]
	zeros, neutral := strings.Repeat("\x00", 32), "\x01"+strings.Repeat("\x00", 31)
	minusOne := "\xec" + strings.Repeat("\xff", 30) + "\x7f"
	return inOrder(
		"s-plus-order", r+littleEndian(new(big.Int).Add(number(s), order)),
		"s-plus-twice-the-order", r+littleEndian(new(big.Int).Add(number(s), new(big.Int).Lsh(order, 1))),
		"s-negated", r+littleEndian(new(big.Int).Sub(order, number(s))),
		"s-of-the-order", r+littleEndian(order),
		"s-of-zero", r+zeros,
		"s-of-all-bits", r+strings.Repeat("\xff", 32),
		"s-with-a-high-bit", r+s[:31]+string([]byte{s[31] | 0x20}),
		"r-of-zero", zeros+s,
		"r-neutral", neutral+s,
		"r-minus-one", minusOne+s,
		"r-not-on-the-curve", strings.Repeat("\x02", 32)+s,
		"r-with-another-sign", r[:31]+string([]byte{r[31] ^ 0x80})+s,
		"zeros", zeros+zeros,
		"neutral-and-zero", neutral+zeros,
		"small-order-and-zero", "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"+zeros,
		"public-key-and-zero", string(k.public())+zeros,
		"halves-swapped", s+r,
		"reversed", reversed(sig),
		"bits-inverted", inverted(sig),
		"first-bit-flipped", string(flip(genuine, 0)),
		"last-byte-changed", sig[:63]+string([]byte{sig[63] ^ 1}),
		"empty", "",
		"one-byte", sig[:1],
		"half", r,
		"63-bytes", sig[:63],
		"65-bytes", sig+"\x00",
		"twice", sig+sig,
		"by-another-key", string(ed25519.Sign(foreignKey.sign, []byte(message))),
		"by-a-key-of-zeros", string(ed25519.Sign(ed25519.NewKeyFromSeed(make([]byte, 32)), []byte(message))),
		"by-the-secret", string(ed25519.Sign(ed25519.NewKeyFromSeed(k.seal), []byte(message))),
		"of-nothing", string(ed25519.Sign(k.sign, nil)),
	)
}

// number reads 32 bytes, the smallest first.
func number(s string) *big.Int { return new(big.Int).SetBytes([]byte(reversed(s))) }

func littleEndian(n *big.Int) string { return reversed(string(n.FillBytes(make([]byte, 32)))) }

func inverted(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] ^= 0xff
	}
	return string(b)
}
