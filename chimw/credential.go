package chimw

import (
	"net/textproto"
	"strings"

	"github.com/carnet-go/carnet/token"
)

// find returns the value of the one cookie of the name in the Cookie headers of
// a request. Package net/http would take the first of several, and skip those
// whose value it can't read; here each counts.
//
// It splits at each semicolon, quoted or not, as RFC 6265 section 5.4 has
// browsers write them. It refuses quotes, which no token has; the rest of the
// value, its length first, is for [token.Verifier.Verify] to judge.
func (c *cookie) find(lines []string) (value string, err error) {
	found := false
	for _, line := range lines {
		for more := true; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			name, v, _ := strings.Cut(pair, "=")
			if textproto.TrimString(name) != c.name {
				continue
			}
			if found {
				return "", ErrTwoTokens
			}
			value, found = textproto.TrimString(v), true
		}
	}
	switch {
	case !found:
		return "", ErrNoToken
	case strings.Contains(value, `"`):
		return "", token.ErrMalformed
	}
	return value, nil
}

// findBearer returns the token of the one Authorization header that has one. The
// scheme is Bearer in any case, and spaces follow (RFC 9110 section 11.1).
func findBearer(lines []string) (tok string, err error) {
	err = ErrNoToken
	for _, line := range lines {
		scheme, rest, _ := strings.Cut(line, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		if err != ErrNoToken {
			return "", ErrTwoTokens
		}
		tok, err = strings.TrimLeft(rest, " "), nil
	}
	return tok, err
}
