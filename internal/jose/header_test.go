package jose_test

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/token"
)

// sealedAs puts any text into an envelope with any header, sealed as it should be.
func (h holder) sealedAs(header, inner string) string {
	block, _ := aes.NewCipher(h.secret)
	aead, _ := cipher.NewGCMWithRandomNonce(block)
	label := b64.EncodeToString([]byte(header))
	sealed := aead.Seal(nil, nil, []byte(inner), []byte(label))
	n := len(sealed) - 16
	return strings.Join([]string{label, "", b64.EncodeToString(sealed[:12]),
		b64.EncodeToString(sealed[12:n]), b64.EncodeToString(sealed[n:])}, ".")
}

// extras are members that some library has once acted on. LISTENER is an address
// that counts who asks.
var extras = []string{
	`"crit":[]`, `"crit":["exp"]`, `"crit":["b64"],"b64":true`, `"crit":["b64"],"b64":false`, `"crit":"b64"`, `"crit":null`,
	`"crit":["alg"]`, `"crit":["x","x"],"x":1`, `"b64":false`, `"b64":true`, `"zip":"DEF"`, `"zip":""`, `"zip":null`,
	`"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
	`"jku":"http://LISTENER/jwks.json"`, `"x5u":"http://LISTENER/cert.pem"`, `"x5c":["MIIB"]`, `"x5t":"AAAA"`,
	`"iss":"example.com"`, `"exp":1764001800`, `"sub":"alice"`, `"epk":{"kty":"OKP","crv":"X25519","x":"AA"}`,
	`"iv":"AAAAAAAAAAAAAAAA"`, `"tag":"AAAAAAAAAAAAAAAAAAAAAA"`, `"p2c":2147483647,"p2s":"AAAAAAAAAAA"`, `"kid":"AAAAAAAAAAA"`,
}

var algorithms = []string{
	"none", "None", "NONE", "nOnE", "", "eddsa", "EDDSA", "Ed25519", "Ed448", "HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256",
	"ES256K", "dir", "Dir", "A256GCMKW", "A256KW", "A128KW", "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW", "PBES2-HS512+A256KW",
}

// Every other header is refused for its form, although the envelope is genuine,
// and nothing that it names is fetched.
func TestOtherOuterHeadersAreRefused(t *testing.T) {
	h, listener := newHolder(t), newListener(t)
	want := `{"alg":"dir","cty":"JWT","enc":"A256GCM","kid":"` + h.ID() + `"}`
	inner := h.signed(header, payload)
	if _, err := h.Open(h.sealedAs(want, inner), session); err != nil {
		t.Fatalf("the header itself: %v", err)
	}
	others := with(want, extras, listener.Addr().String())
	for _, alg := range algorithms {
		if alg != "dir" {
			others = append(others, strings.Replace(want, `"dir"`, `"`+alg+`"`, 1))
		}
	}
	for _, enc := range []string{"A128GCM", "A192GCM", "a256gcm", "A256CBC-HS512", "A128CBC-HS256", "XC20P", "none", ""} {
		others = append(others, strings.Replace(want, `"A256GCM"`, `"`+enc+`"`, 1))
	}
	for _, cty := range []string{"jwt", "JWS", "application/jwt", "JWE", ""} {
		others = append(others, strings.Replace(want, `"JWT"`, `"`+cty+`"`, 1))
	}
	for _, kid := range []string{"", "../../etc/passwd", "' OR 1=1", "a\\u0000b", h.ID() + " ", h.ID()[:10], strings.ToUpper(h.ID())} {
		others = append(others, strings.Replace(want, h.ID(), kid, 1))
	}
	others = append(others, strings.Replace(want, `,"kid":"`+h.ID()+`"`, "", 1), strings.Replace(want, `"kid":"`+h.ID()+`"`, `"kid":7`, 1))
	for _, other := range others {
		if _, err := h.Open(h.sealedAs(other, inner), session); !errors.Is(err, token.ErrMalformed) {
			t.Errorf("%s: got %v", other, err)
		}
	}
}

func TestOtherInnerHeadersAreRefused(t *testing.T) {
	h, listener := newHolder(t), newListener(t)
	others := with(header, extras, listener.Addr().String())
	for _, alg := range algorithms {
		others = append(others, strings.Replace(header, `"EdDSA"`, `"`+alg+`"`, 1))
	}
	for _, typ := range []string{"JWT", "at+jwt", "session", "Session+jwt", "session+JWT", "application/session+jwt", "logout+jwt", "refresh+jwt", ""} {
		others = append(others, strings.Replace(header, `"session+jwt"`, `"`+typ+`"`, 1))
	}
	others = append(others, `{"alg":"EdDSA"}`, `{"typ":"session+jwt"}`, `{}`, `null`, ``)
	for _, other := range others {
		_, err := h.Open(h.envelope(h.signed(other, payload)), session)
		if !errors.Is(err, token.ErrMalformed) && !(errors.Is(err, token.ErrBinding) && strings.Contains(other, "refresh")) {
			t.Errorf("%s: got %v", other, err)
		}
	}
}

// with returns the header with each of the members added, last and first, and in
// other spellings of itself.
func with(header string, extras []string, listener string) []string {
	others := []string{
		" " + header, header + " ", header + "\n", "\ufeff" + header, header + header, "[" + header + "]",
		strings.Replace(header, ":", ": ", 1), strings.Replace(header, ",", ", ", 1),
		strings.Replace(header, `"alg"`, `"\u0061lg"`, 1), strings.Replace(header, `"alg"`, `"ALG"`, 1),
		strings.Replace(header, `"alg"`, `"alg":"none","alg"`, 1), header[:len(header)-1] + `,"alg":"none"}`,
	}
	for _, extra := range extras {
		extra = strings.ReplaceAll(extra, "LISTENER", listener)
		others = append(others, header[:len(header)-1]+","+extra+"}", "{"+extra+","+header[1:])
	}
	return others
}

// newListener fails the test if anybody connects.
func newListener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan bool)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			conn.Close()
		}
		accepted <- err == nil
	}()
	t.Cleanup(func() {
		l.Close()
		if <-accepted {
			t.Error("something that a header named was fetched")
		}
	})
	return l
}

// Only the compact form is a token, in exactly five parts.
func TestOtherSerialisationsAreRefused(t *testing.T) {
	h := newHolder(t)
	tok, err := h.Seal(claims())
	if err != nil {
		t.Fatal(err)
	}
	p := strings.Split(tok, ".")
	member := `"iv":"` + p[2] + `","ciphertext":"` + p[3] + `","tag":"` + p[4] + `"`
	inner := h.signed(header, payload)
	s := strings.Split(inner, ".")
	for name, other := range map[string]string{
		"flattened":                 `{"protected":"` + p[0] + `",` + member + `}`,
		"general":                   `{"protected":"` + p[0] + `","recipients":[{}],` + member + `}`,
		"polyglot":                  tok + `{"protected":"` + p[0] + `",` + member + `}`,
		"the inner token alone":     inner,
		"the claims alone":          payload,
		"an encrypted key":          p[0] + ".AAAA." + p[2] + "." + p[3] + "." + p[4],
		"a long encrypted key":      p[0] + "." + strings.Repeat("A", 6000) + "." + p[2] + "." + p[3] + "." + p[4],
		"three parts":               p[0] + "." + p[3] + "." + p[4],
		"four parts":                p[0] + ".." + p[2] + "." + p[3],
		"six parts":                 tok + ".",
		"a nonce of 16 bytes":       p[0] + ".." + p[2] + "AAAAAA." + p[3] + "." + p[4],
		"a tag of 12 bytes":         p[0] + ".." + p[2] + "." + p[3] + "." + p[4][:16],
		"no tag":                    p[0] + ".." + p[2] + "." + p[3] + ".",
		"no ciphertext":             p[0] + ".." + p[2] + ".." + p[4],
		"in an envelope, flattened": h.envelope(`{"protected":"` + s[0] + `","payload":"` + s[1] + `","signature":"` + s[2] + `"}`),
		"in an envelope, general":   h.envelope(`{"payload":"` + s[1] + `","signatures":[{"protected":"` + s[0] + `","signature":"` + s[2] + `"}]}`),
		"in an envelope, detached":  h.envelope(s[0] + ".." + s[2]),
		"in two envelopes":          h.envelope(h.envelope(inner)),
	} {
		if _, err := h.Open(other, session); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
