// Package paseto makes and reads carnet's PASETO tokens: a v4.public, signed with
// Ed25519, inside a v4.local, sealed with XChaCha20 and BLAKE2b. Both are to the
// letter of the PASETO specification, and the key ids to that of PASERK.
//
//	outer token    v4.local.<sealed outer payload>.<footer>
//	footer         {"kid":"k4.lid.…"}
//	outer payload  {"token":"<inner token>"}
//	inner token    v4.public.<claims and signature>
//
// The outer payload is an object because that of every PASETO is (Payload
// Processing), and libraries take no other. It is compared, never parsed.
//
// The inner token has no footer: the outer key says which public key belongs to
// it. Both layers have the same implicit assertion, PAE("carnet/v1", purpose,
// issuer, audience), so that a token can't be opened for anything else than it
// was sealed for.
//
// Nothing in a token is interpreted before the outer tag has proved it genuine:
// header and footer are compared with the only ones that this key makes. So a
// forgery costs two hashes and no signature work.
package paseto

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"slices"

	"github.com/carnet-go/carnet/token"
)

var b64 = base64.RawURLEncoding.Strict()

// decodeToken checks the form of a token of three or four parts and returns its
// decoded body, which has least bytes or more. The memory of buf is used for it
// and returned in any case. A footer other than this one gives
// [token.ErrInvalid]: the tag could not hold either.
func decodeToken(buf []byte, header string, tok, footer []byte, least int) ([]byte, error) {
	body, ending, err := split(header, tok)
	if err != nil {
		return buf, err
	}
	if len(body) < b64.EncodedLen(least) {
		return buf, token.ErrMalformed
	}
	if len(ending) != b64.EncodedLen(len(footer)) {
		return buf, token.ErrInvalid
	}
	buf, ok := appendDecoded(buf[:0], ending)
	if !ok {
		return buf, token.ErrMalformed
	}
	if subtle.ConstantTimeCompare(buf, footer) != 1 {
		return buf, token.ErrInvalid
	}
	if buf, ok = appendDecoded(buf[:0], body); !ok {
		return buf, token.ErrMalformed
	}
	return buf, nil
}

// split cuts the encoded body and footer out of a token. An empty fourth part is
// refused: no token is written like that.
func split(header string, tok []byte) (body, footer []byte, err error) {
	rest, ok := bytes.CutPrefix(tok, []byte(header))
	if !ok {
		return nil, nil, token.ErrMalformed
	}
	body, footer, four := bytes.Cut(rest, []byte("."))
	if four && len(footer) == 0 || bytes.IndexByte(footer, '.') >= 0 {
		return nil, nil, token.ErrMalformed
	}
	return body, footer, nil
}

// appendDecoded appends the decoded src to dst. Go's decoder skips line breaks
// even when it is strict.
func appendDecoded(dst, src []byte) ([]byte, bool) {
	if bytes.IndexByte(src, '\n') >= 0 || bytes.IndexByte(src, '\r') >= 0 {
		return dst, false
	}
	dst, err := b64.AppendDecode(dst, src)
	return dst, err == nil
}

// appendToken appends a token to dst.
func appendToken(dst []byte, header string, body, footer []byte) []byte {
	dst = slices.Grow(dst, len(header)+b64.EncodedLen(len(body))+1+b64.EncodedLen(len(footer)))
	dst = append(dst, header...)
	dst = b64.AppendEncode(dst, body)
	if len(footer) == 0 {
		return dst
	}
	dst = append(dst, '.')
	return b64.AppendEncode(dst, footer)
}
