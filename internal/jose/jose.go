// Package jose makes and reads carnet's JWTs: a JWS signed with Ed25519 inside a
// JWE sealed with AES-256-GCM, both in compact form (RFC 7515, 7516, 7519
// section 11.2).
//
//	JWE header  {"alg":"dir","cty":"JWT","enc":"A256GCM","kid":"…"}
//	JWS header  {"alg":"EdDSA","typ":"session+jwt"}
//
// Members stand in alphabetical order, as most libraries write them.
//
// Headers are never interpreted. A key has one JWE header and there is one JWS
// header a purpose, so both are compared as strings: a token can't ask for
// another algorithm, key or treatment. The envelope is opened before any
// signature work, so that a forgery costs about a microsecond.
package jose

import (
	"strings"

	"github.com/carnet-go/carnet/token"
)

const (
	// The text before the kid is a multiple of three bytes long, so its base64 is
	// the same in every token.
	headerBeforeKid = `{"alg":"dir","cty":"JWT","enc":"A256GCM","kid":"`
	headerAfterKid  = `"}`

	kidLen    = 11 // 8 bytes
	ivLen     = 16 // 12 bytes, RFC 7518 section 5.3
	tagLen    = 22 // 16 bytes
	sigLen    = 86 // 64 bytes
	labelLen  = ((len(headerBeforeKid)+kidLen+len(headerAfterKid))*8 + 5) / 6
	prefixLen = len(headerBeforeKid) / 3 * 4
)

var labelPrefix = b64.EncodeToString([]byte(headerBeforeKid))

// innerHeaders holds the encoded JWS header of each purpose.
var innerHeaders = map[token.Purpose]string{
	token.PurposeSession:   innerHeader(token.PurposeSession),
	token.PurposeRefresh:   innerHeader(token.PurposeRefresh),
	token.PurposeChallenge: innerHeader(token.PurposeChallenge),
}

func innerHeader(p token.Purpose) string {
	return b64.EncodeToString([]byte(`{"alg":"EdDSA","typ":"` + string(p) + `+jwt"}`))
}

// Label cuts out of tok the part that names its key: the encoded JWE header. It
// reports false if tok can't be one of ours. It looks at no more than that part.
func Label(tok string) (string, bool) {
	if len(tok) <= labelLen || tok[labelLen] != '.' || tok[:prefixLen] != labelPrefix {
		return "", false
	}
	return tok[:labelLen], true
}

// LabelID returns the key id in a label, for a key that the caller does not
// have. It reports false if the label has another form than ours.
func LabelID(label string) (string, bool) {
	header, err := b64.DecodeString(label)
	if err != nil || len(label) != labelLen {
		return "", false
	}
	kid, before := strings.CutPrefix(string(header), headerBeforeKid)
	kid, after := strings.CutSuffix(kid, headerAfterKid)
	if !before || !after || !isKid(kid) {
		return "", false
	}
	return kid, true
}

func isKid(s string) bool {
	if len(s) != kidLen || strings.ContainsAny(s, "\r\n") {
		return false
	}
	_, err := b64.DecodeString(s)
	return err == nil
}

func label(kid string) string {
	return b64.EncodeToString([]byte(headerBeforeKid + kid + headerAfterKid))
}
