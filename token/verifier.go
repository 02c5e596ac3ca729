package token

import (
	"time"
	"unicode"
	"unicode/utf8"
)

// A Verifier believes or refuses session tokens with data of type T. It asks
// nobody: it needs an [Opener] and a clock. It is safe for concurrent use, as is
// the Opener it was made with.
type Verifier[T any] struct {
	opener Opener
	config Config
}

// NewVerifier returns a Verifier that reads with o. It panics if c is not
// usable, which is a mistake in the program.
func NewVerifier[T any](o Opener, c Config) *Verifier[T] {
	if o == nil {
		panic("token: NewVerifier needs an Opener")
	}
	return &Verifier[T]{o, mustConfig(c)}
}

// Config returns the policy, with the defaults filled in.
func (v *Verifier[T]) Config() Config { return v.config }

// Verify returns the session that tok stands for, or an error that wraps
// [ErrInvalid] if it is not to be believed. Any other error comes from the
// Opener and means that the answer could not be found.
//
// Not checked: whether the session has been revoked, and whether the bearer is
// the one it was issued to.
func (v *Verifier[T]) Verify(tok string) (*Session[T], error) {
	if len(tok) > MaxSize {
		return nil, ErrTooLarge
	}
	c, err := v.opener.Open(tok, v.config.binding())
	if err != nil {
		return nil, err
	}
	if err := v.config.judge(c, time.Now()); err != nil {
		return nil, err
	}
	s := &Session[T]{Claims: c}
	if err := decodeData([]byte(c.Raw), &s.Data); err != nil {
		return nil, err
	}
	return s, nil
}

// judge decides what genuine claims mean at the moment now.
func (conf Config) judge(c Claims, now time.Time) error {
	switch {
	case c.Binding != conf.binding():
		return ErrBinding
	case !isID(c.ID) || !isID(c.SessionID) || !printable(c.Subject):
		return ErrClaims
	case c.ExpiresAt.After(c.EndsAt), !c.ExpiresAt.After(c.IssuedAt),
		c.ExpiresAt.Sub(c.IssuedAt) > conf.MaxAge,
		c.EndsAt.Sub(c.StartedAt) > conf.MaxAge,
		c.StartedAt.After(c.IssuedAt.Add(conf.Leeway + time.Second)):
		return ErrClaims
	case now.Add(conf.Leeway).Before(c.IssuedAt):
		return ErrNotYet
	case !now.Add(-conf.Leeway).Before(c.ExpiresAt):
		return ErrExpired
	}
	return nil
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
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
