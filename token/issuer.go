package token

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// An Issuer mints session tokens for data of type T. It is safe for concurrent
// use, as is the Sealer it was made with.
type Issuer[T any] struct {
	sealer   Sealer
	verifier *Verifier[T]
	idle     time.Duration // the life of the first token of a session
	maxAge   time.Duration // the life of a session
	size     int           // the most bytes of a token
	encoding json.Options  // of the data
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
	i := &Issuer[T]{s, v, v.config.Lifetime, v.config.MaxAge, v.config.MaxSize, dataOptions, func(string) bool { return false }, nil}
	if namesOnce(reflect.TypeFor[T]()) {
		i.encoding = namesOnceOptions
	}
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
// data does not fit. What data refers to is not copied: don't change it while the
// session is in use.
func (i *Issuer[T]) Issue(subject string, data T) (tok string, s *Session[T], err error) {
	first := &struct { // in one allocation
		Session[T]
		content[T]
	}{content: content[T]{data, i.verifier.cloner}}
	s = &first.Session
	s.data = &first.content
	session, id, raw, err := i.texts(&first.value)
	if err != nil {
		return "", nil, fmt.Errorf("issue token: %w", err)
	}
	now := time.Now().UTC()
	start := now.Truncate(time.Microsecond)
	s.Claims = Claims{
		Binding:   i.verifier.binding,
		ID:        id,
		SessionID: session,
		Subject:   subject,
		StartedAt: start,
		EndsAt:    start.Add(i.maxAge).Truncate(time.Second),
		Raw:       raw,
		encoded:   &s.Raw,
	}
	return i.seal(s, now, i.idle)
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
	now := time.Now().UTC()
	if !now.Before(s.EndsAt) {
		return "", nil, ErrExpired
	}
	next := *s
	c := &next.Claims
	if !i.verifier.sharing.unread {
		data := s.Data() // a copy: a MarshalJSON may change what it is called on
		raw, err := mergeData([]byte(s.Raw), &data)
		if err != nil {
			return "", nil, fmt.Errorf("renew token: %w", err)
		}
		if c.Raw = string(raw); c.Raw != s.Raw {
			c.Revision++
			c.Overflow = ""
		}
	}
	c.ID = string(appendIDs(make([]byte, 0, idSize), 1))
	return i.seal(&next, now, c.idle())
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
	return i.Renew(&Session[T]{c, s.data})
}

// seal completes the claims with what is new in each token but its id, and mints it
// with a life of idle from now, or until the session ends.
func (i *Issuer[T]) seal(s *Session[T], now time.Time, idle time.Duration) (string, *Session[T], error) {
	c := &s.Claims
	c.KeyID = ""
	c.IssuedAt = now.Truncate(time.Second)
	c.ExpiresAt = c.IssuedAt.Add(idle)
	if c.ExpiresAt.After(c.EndsAt) {
		c.ExpiresAt = c.EndsAt
	}
	if !printable(c.Subject) {
		return "", nil, fmt.Errorf("issue token: the subject must be 1 to %d bytes of printable text", maxName)
	}
	tok, err := i.mint(c)
	if err == nil && tok == "" && c.Overflow == "" && i.spill != nil {
		if c.Overflow, err = i.spill(*c); err == nil {
			tok, err = i.mint(c)
		}
	}
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("issue token: %w", err)
	case tok == "":
		return "", nil, i.tooLarge(*c)
	}
	c.encoded = nil
	return tok, s, nil
}

// mint seals claims. It returns nothing if the token would be too large.
func (i *Issuer[T]) mint(c *Claims) (string, error) {
	if c.Overflow != "" {
		elsewhere := *c
		elsewhere.Raw = "null"
		c = &elsewhere
	}
	if len(c.Raw) > i.size {
		return "", nil
	}
	tok, err := i.sealer.Seal(*c)
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

// buffers are for texts whose length is not known yet.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// texts returns what is new in a new session: two ids of 128 random bits, and the data as
// JSON. Entropy and memory are asked for once.
func (i *Issuer[T]) texts(data *T) (session, id, raw string, err error) {
	buf := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	buf.Write(appendIDs(buf.AvailableBuffer(), 2))
	if err := json.MarshalWrite(buf, data, i.encoding); err != nil {
		return "", "", "", errEncode(err)
	}
	all := buf.String()
	if len(all) <= MaxSize { // else it fits no token, and nobody needs a buffer as large again
		buffers.Put(buf)
	}
	return all[:idSize], all[idSize : 2*idSize], all[2*idSize:], nil
}

const idSize = 22 // of 128 bits in base64

// appendIDs appends n ids of 128 random bits.
func appendIDs(dst []byte, n int) []byte {
	var b [32]byte
	rand.Read(b[:16*n])
	for i := range n {
		dst = base64.RawURLEncoding.AppendEncode(dst, b[16*i:16*i+16])
	}
	return dst
}
