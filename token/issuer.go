package token

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// An Issuer mints session tokens for data of type T. It is safe for concurrent
// use, as is the Sealer it was made with.
type Issuer[T any] struct {
	sealer   Sealer
	verifier *Verifier[T]
}

// NewIssuer returns an Issuer that mints with s. It panics if c is not usable,
// which is a mistake in the program.
func NewIssuer[T any](s Sealer, c Config) *Issuer[T] {
	if s == nil {
		panic("token: NewIssuer needs a Sealer")
	}
	return &Issuer[T]{s, NewVerifier[T](s, c)}
}

// Verifier returns a Verifier with the same ring and policy.
func (i *Issuer[T]) Verifier() *Verifier[T] { return i.verifier }

// Issue starts a session: it mints the first token of subject, whose login has
// just been checked. The session id is new each time; nothing that a client sent
// takes part in it.
//
// The subject must be 1 to 255 bytes of printable text. A [*SizeError] says that
// data does not fit.
func (i *Issuer[T]) Issue(subject string, data T) (tok string, s *Session[T], err error) {
	raw, err := encodeData(data)
	if err != nil {
		return "", nil, fmt.Errorf("issue token: %w", err)
	}
	c := i.verifier.config
	start := time.Now().UTC().Truncate(time.Microsecond)
	return i.seal(Claims{
		Binding:   c.binding(),
		SessionID: newID(),
		Subject:   subject,
		StartedAt: start,
		EndsAt:    start.Add(c.MaxAge).Truncate(time.Second),
		Raw:       string(raw),
	}, data)
}

// Renew mints a further token of the session s, with s.Data as it is now. The
// session id, StartedAt and EndsAt stay; the token never outlives EndsAt.
// Members of the data that T does not know are kept, nested ones too, and so is
// each value that was not changed, to the last digit. In a list, an element that
// changed keeps the members that T does not know only if the list is as long as
// before.
//
// Renew does not ask whether the session was revoked; the caller does. It
// returns [ErrExpired] if the session has ended.
func (i *Issuer[T]) Renew(s *Session[T]) (tok string, renewed *Session[T], err error) {
	if !time.Now().Before(s.EndsAt) {
		return "", nil, ErrExpired
	}
	c := s.Claims
	if !i.verifier.sharing.unread {
		raw, err := mergeData([]byte(s.Raw), s.Data)
		if err != nil {
			return "", nil, fmt.Errorf("renew token: %w", err)
		}
		c.Raw = string(raw)
	}
	return i.seal(c, s.Data)
}

// seal completes the claims with what is new in each token, and mints it.
func (i *Issuer[T]) seal(c Claims, data T) (string, *Session[T], error) {
	conf := i.verifier.config
	c.ID, c.KeyID = newID(), ""
	c.IssuedAt = time.Now().UTC().Truncate(time.Second)
	c.ExpiresAt = c.IssuedAt.Add(conf.Lifetime)
	if c.ExpiresAt.After(c.EndsAt) {
		c.ExpiresAt = c.EndsAt
	}
	if !printable(c.Subject) {
		return "", nil, fmt.Errorf("issue token: the subject must be 1 to %d bytes of printable text", maxName)
	}
	if len(c.Raw) > conf.MaxSize {
		return "", nil, &SizeError{Data: len(c.Raw), Room: i.room(c)}
	}
	tok, err := i.sealer.Seal(c)
	if err != nil {
		return "", nil, fmt.Errorf("issue token: %w", err)
	}
	if len(tok) > conf.MaxSize {
		return "", nil, &SizeError{Data: len(c.Raw), Room: i.room(c)}
	}
	return tok, &Session[T]{c, data}, nil
}

// room finds how many bytes of data fit beside the other claims: the only way
// that holds for every Sealer is to try. It takes a dozen seals, in an error
// that a program meets while it is written.
func (i *Issuer[T]) room(c Claims) int {
	fits, over := 0, i.verifier.config.MaxSize
	for over-fits > 1 {
		n := (fits + over) / 2
		c.Raw = filler(n)
		if tok, err := i.sealer.Seal(c); err == nil && len(tok) <= i.verifier.config.MaxSize {
			fits = n
		} else {
			over = n
		}
	}
	return fits
}

// filler returns a JSON value of n bytes, or of two at least.
func filler(n int) string { return `"` + strings.Repeat("x", max(n-2, 0)) + `"` }

// newID returns 128 random bits in 22 characters.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
