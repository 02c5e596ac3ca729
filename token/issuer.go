package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
	"unsafe"
)

// An Issuer mints session tokens for data of type T. It is safe for concurrent
// use, as is the Sealer it was made with.
type Issuer[T any] struct {
	sealer   Sealer
	verifier *Verifier[T]
	idle     time.Duration // the life of the first token of a session
	maxAge   time.Duration // the life of a session
	size     int           // the most bytes of a token
	retired  func(kid string) bool
	spill    func(c Claims) (ref string, err error) // nil if data must fit
}

// NewIssuer returns an Issuer that mints with s. It panics if c is not usable,
// which is a mistake in the program.
func NewIssuer[T any](s Sealer, c Config) *Issuer[T] {
	if s == nil {
		panic("token: NewIssuer needs a Sealer")
	}
	v := NewVerifier[T](s, c)
	i := &Issuer[T]{s, v, v.config.Lifetime, v.config.MaxAge, v.config.MaxSize, func(string) bool { return false }, nil}
	if r, ok := s.(interface{ Retired(kid string) bool }); ok {
		i.retired = r.Retired
	}
	return i
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
	written := unsafe.String(unsafe.SliceData(raw), len(raw)) // nobody else has it
	c := i.verifier.config
	start := time.Now().UTC().Truncate(time.Microsecond)
	return i.seal(Claims{
		Binding:   c.binding(),
		SessionID: newID(),
		Subject:   subject,
		StartedAt: start,
		EndsAt:    start.Add(i.maxAge).Truncate(time.Second),
		Raw:       written,
		encoded:   written,
	}, i.idle, data)
}

// Renew mints a further token of the session s, with its data as [Session.SetData] left
// it. The session id, StartedAt and EndsAt stay, and how long it may idle; the token never
// outlives EndsAt. Members of the data that T does not know are kept, nested ones
// too, and so is each value that was not changed, to the last digit. In a list, an
// element that changed keeps the members that T does not know only if the list is as
// long as before.
//
// Renew does not ask whether the session was revoked; the caller does. It
// returns [ErrExpired] if the session has ended.
func (i *Issuer[T]) Renew(s *Session[T]) (tok string, renewed *Session[T], err error) {
	if !time.Now().Before(s.EndsAt) {
		return "", nil, ErrExpired
	}
	c := s.Claims
	if !i.verifier.sharing.unread {
		raw, err := mergeData([]byte(s.Raw), s.value())
		if err != nil {
			return "", nil, fmt.Errorf("renew token: %w", err)
		}
		if c.Raw = string(raw); c.Raw != s.Raw {
			c.Revision++
			c.Overflow = ""
		}
	}
	return i.seal(c, c.idle(), s.value())
}

// Elevate mints the first token of the session that takes the place of s, when its
// rights change or the user has proved again who he is: with its data as [Session.SetData] left
// it, and the session id [Claims.Successor]. The caller takes s back, as the new
// session is for nobody who has an old token. All else is as with Renew.
func (i *Issuer[T]) Elevate(s *Session[T]) (tok string, next *Session[T], err error) {
	c := s.Claims
	c.SessionID = c.Successor()
	if c.Overflow != "" && i.verifier.sharing.unread {
		return "", nil, fmt.Errorf("elevate: %w", errElsewhere)
	}
	c.Overflow = "" // it is of the session that was
	return i.Renew(&Session[T]{c, s.data, s.copy})
}

// seal completes the claims with what is new in each token, and mints it with a
// life of idle, or until the session ends.
func (i *Issuer[T]) seal(c Claims, idle time.Duration, data T) (string, *Session[T], error) {
	c.ID, c.KeyID = newID(), ""
	c.IssuedAt = time.Now().UTC().Truncate(time.Second)
	c.ExpiresAt = c.IssuedAt.Add(idle)
	if c.ExpiresAt.After(c.EndsAt) {
		c.ExpiresAt = c.EndsAt
	}
	if !printable(c.Subject) {
		return "", nil, fmt.Errorf("issue token: the subject must be 1 to %d bytes of printable text", maxName)
	}
	tok, err := i.mint(c)
	if err == nil && tok == "" && c.Overflow == "" && i.spill != nil {
		if c.Overflow, err = i.spill(c); err == nil {
			tok, err = i.mint(c)
		}
	}
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("issue token: %w", err)
	case tok == "":
		return "", nil, i.tooLarge(c)
	}
	c.encoded = ""
	return tok, i.started(c, data), nil
}

// started returns the session of a new token, in one allocation with its data.
func (i *Issuer[T]) started(c Claims, data T) *Session[T] {
	s := &struct {
		Session[T]
		data T
	}{Session[T]{c, nil, i.verifier.sharing.copy}, data}
	s.Session.data = &s.data
	return &s.Session
}

// mint seals claims. It returns nothing if the token would be too large.
func (i *Issuer[T]) mint(c Claims) (string, error) {
	if c.Overflow != "" {
		c.Raw = "null"
	}
	if len(c.Raw) > i.size {
		return "", nil
	}
	tok, err := i.sealer.Seal(c)
	if err != nil || len(tok) > i.size {
		return "", err
	}
	return tok, nil
}

// Spilling returns an Issuer that calls put for session data that does not fit, with the
// claims of the token that would have it. What put returns is a reference to the data,
// 1 to 128 characters of base64url, and goes into the token in its place. Put must keep
// the data, Raw, until EndsAt and the leeway have passed, and for this SessionID alone.
// A renewal that does not change the data keeps the reference. An error of put is
// returned, and no token was minted.
func (i *Issuer[T]) Spilling(put func(c Claims) (ref string, err error)) *Issuer[T] {
	next := *i
	next.spill = put
	return &next
}

// Successor returns the id of the session that [Issuer.Elevate] makes of this one.
// It follows from the session's own id, so that a logout can name both: a session
// that is elevated while it is logged out is logged out as well. It is no secret
// from who knows that id, and of no use without a token.
func (c *Claims) Successor() string {
	sum := sha256.Sum256([]byte("carnet: the session after " + c.SessionID))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// newID returns 128 random bits in 22 characters.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
