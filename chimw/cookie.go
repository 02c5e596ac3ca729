package chimw

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/carnet-go/carnet/token"
)

// A cookie is the name of one.
type cookie string

const (
	attributes = "; Path=/; HttpOnly; Secure; SameSite=Lax"
	clearing   = "; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"

	maxCookie = 4096 // bytes with name and attributes that a browser must keep, RFC 6265 section 6.1
)

// find returns the value of the one cookie of the name in the Cookie headers of
// a request. Package net/http would take the first of several, and skip those
// whose value it can't read; here each counts.
//
// It splits at each semicolon, quoted or not, as RFC 6265 section 5.4 has
// browsers write them. It refuses quotes, which no token has; the rest of the
// value, its length first, is for [token.Verifier.Verify] to judge.
func (c cookie) find(lines []string) (value string, err error) {
	found := false
	for _, line := range lines {
		for more := true; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			name, v, _ := strings.Cut(pair, "=")
			if textproto.TrimString(name) != string(c) {
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

// line is what a Set-Cookie header says.
func (c cookie) line(tok string) string { return string(c) + "=" + tok + attributes }

// set has the response set the cookie to tok.
func (c cookie) set(h http.Header, tok string) { c.replace(h, c.line(tok)) }

// clear has the response delete the cookie.
func (c cookie) clear(h http.Header) { c.replace(h, string(c)+"="+clearing) }

// replace makes line the only one in the response that is about the cookie.
func (c cookie) replace(h http.Header, line string) {
	others := slices.DeleteFunc(h["Set-Cookie"], func(l string) bool {
		_, ours := c.cut(l)
		return ours
	})
	h["Set-Cookie"] = append(others, line)
	h.Set("Cache-Control", "no-store")
}

// pending returns what the response sets the cookie to: empty if it clears it.
func (c cookie) pending(h http.Header) (tok string, ok bool) {
	for _, line := range h["Set-Cookie"] {
		if tok, ok = c.cut(line); ok {
			return tok, true
		}
	}
	return "", false
}

func (c cookie) cut(line string) (tok string, ok bool) {
	rest, ok := strings.CutPrefix(line, string(c)+"=")
	tok, _, _ = strings.Cut(rest, ";")
	return tok, ok
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
