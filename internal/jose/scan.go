package jose

import (
	"strings"
)

// scan reads a payload of exactly the form in which appendClaims writes one,
// without reauth and without an escape or anything but ASCII in a name: that is
// nearly every token. It reports false for any other, about which it says
// nothing; that is for the strict decoder to judge. The strings are parts of one
// copy of the payload.
func (p *claims) scan(payload []byte) (raw string, ok bool) {
	s := scanner{rest: string(payload)}
	p.Issuer = s.text(`{"iss":"`)
	p.Audience = s.text(`","aud":"`)
	p.Subject = s.text(`","sub":"`)
	p.SessionID = s.text(`","sid":"`)
	p.ID = s.text(`","jti":"`)
	p.StartedAt = s.number(`","auth_us":`)
	p.IssuedAt = s.number(`,"iat":`)
	p.ExpiresAt = s.number(`,"exp":`)
	p.EndsAt = s.number(`,"end":`)
	s.skip(`,"data":`)
	raw, ok = strings.CutSuffix(s.rest, "}")
	if s.failed || !ok || raw == "" || raw[0] <= ' ' || raw[len(raw)-1] <= ' ' {
		return "", false
	}
	at := len(payload) - len(raw) - 1
	p.Data = payload[at : at+len(raw)]
	return raw, p.Data.IsValid() // one value, names once each, UTF-8
}

// A scanner takes text from the front. Once something is not as it should be it
// has failed, for good.
type scanner struct {
	rest   string
	failed bool
}

func (s *scanner) skip(text string) {
	rest, ok := strings.CutPrefix(s.rest, text)
	s.rest, s.failed = rest, s.failed || !ok
}

// text takes the string that follows before, up to its closing quote.
func (s *scanner) text(before string) string {
	s.skip(before)
	for i := range len(s.rest) {
		switch c := s.rest[i]; {
		case c == '"':
			v := s.rest[:i]
			s.rest = s.rest[i:]
			return v
		case c < ' ' || c > '~' || c == '\\':
			s.failed = true
			return ""
		}
	}
	s.failed = true
	return ""
}

// number takes the positive number that follows before, of at most 18 digits, so
// that it can't overflow.
func (s *scanner) number(before string) (n int64) {
	s.skip(before)
	i := 0
	for ; i < len(s.rest) && '0' <= s.rest[i] && s.rest[i] <= '9'; i++ {
		if i == 18 {
			s.failed = true
			return 0
		}
		n = 10*n + int64(s.rest[i]-'0')
	}
	if i == 0 || s.rest[0] == '0' {
		s.failed = true
		return 0
	}
	s.rest = s.rest[i:]
	return n
}
