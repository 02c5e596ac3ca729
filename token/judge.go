package token

import (
	"time"
	"unicode"
	"unicode/utf8"
)

// maxAhead is how far a login may lie ahead: one that comes after a mark starts at its
// moment (see package revocation), which another node's clock has set.
const maxAhead = 10 * time.Minute

// judge decides what genuine claims mean at the moment now.
func (conf *Config) judge(c Claims, want Binding, now time.Time) error {
	switch {
	case c.Binding != want:
		return ErrBinding
	case !isID(c.ID) || !isID(c.SessionID) || !printable(c.Subject):
		return ErrClaims
	case c.ExpiresAt.After(c.EndsAt), !c.ExpiresAt.After(c.IssuedAt),
		c.ExpiresAt.Sub(c.IssuedAt) > conf.MaxAge,
		c.EndsAt.Sub(c.StartedAt) > conf.MaxAge,
		c.StartedAt.After(c.IssuedAt.Add(conf.Leeway + maxAhead + time.Second)),
		c.AuthenticatedAt.After(c.IssuedAt.Add(conf.Leeway + time.Second)):
		return ErrClaims
	}
	return conf.judgeTimes(&c, now)
}

// judgeTimes is what has to be asked again about a token that was good a moment
// ago.
func (conf *Config) judgeTimes(c *Claims, now time.Time) error {
	switch {
	case now.Add(conf.Leeway).Before(c.IssuedAt):
		return ErrNotYet
	case now.Add(-conf.Leeway).Before(c.ExpiresAt):
		return nil
	case c.ExpiresAt.Before(c.EndsAt):
		return errIdle
	}
	return ErrExpired
}

// isID reports whether s can carry 128 random bits as base64url.
func isID(s string) bool {
	if len(s) < 22 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// maxName is the length of an OpenID Connect subject (Core 1.0 section 2).
const maxName = 255

// printable keeps controls, bidirectional overrides and broken UTF-8 out of
// names that end up in logs and headers.
func printable(s string) bool {
	if s == "" || len(s) > maxName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if ' ' <= r && r <= '~' {
			continue // nearly all are
		}
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
