package token

import (
	"errors"
	"reflect"
	"time"
)

// A Verifier believes or refuses session tokens with data of type T. It asks
// nobody: it needs an [Opener] and a clock. It is safe for concurrent use, as is
// the Opener it was made with.
//
// A Verifier[struct{}] takes any data and does not decode it, which is the
// fastest way to learn who it is.
type Verifier[T any] struct {
	opener  Opener
	config  Config
	binding Binding
	sharing sharing
	cloner  *cloner[T]
	cached  cachingOpener // the opener, if it keeps what it opened
	believe func(Claims) (any, int, error)
}

// A cachingOpener keeps what was made of a token, for as long as its keys stay
// what they are. Rings are such.
type cachingOpener interface {
	// OpenOnce returns what believe makes of the claims of tok: now, or earlier
	// for the same token and by. Only what believe returned without an error is
	// kept, and size is about how many bytes it takes.
	OpenOnce(tok string, b Binding, by any, believe func(Claims) (v any, size int, err error)) (v any, err error)
}

// NewVerifier returns a Verifier that reads with o. It panics if c is not
// usable, which is a mistake in the program.
func NewVerifier[T any](o Opener, c Config) *Verifier[T] {
	if o == nil {
		panic("token: NewVerifier needs an Opener")
	}
	v := &Verifier[T]{opener: o, config: mustConfig(c), sharing: sharingOf(reflect.TypeFor[T]())}
	v.cloner = newCloner[T](v.sharing.copy)
	v.binding = v.config.binding()
	v.cached, _ = o.(cachingOpener)
	v.believe = v.toKeep
	return v
}

// Config returns the policy, with the defaults filled in.
func (v *Verifier[T]) Config() Config { return v.config }

// For returns a Verifier of tokens for another purpose, and for no others, under
// the same policy: package refresh reads refresh tokens with one.
func (v *Verifier[T]) For(p Purpose) *Verifier[T] {
	next := *v
	next.binding.Purpose = p
	next.believe = next.toKeep
	return &next
}

// Verify returns the session that tok stands for, or an error that wraps
// [ErrInvalid] if it is not to be believed. Any other error comes from the
// Opener and means that the answer could not be found.
//
// The session is the caller's to change: no other call gets any part of it. Its data
// was decoded, and is copied when [Session.Data] asks for it.
//
// Not checked: whether the session has been revoked, and whether the bearer is
// the one it was issued to.
func (v *Verifier[T]) Verify(tok string) (*Session[T], error) {
	// No more than this, so that it is inlined: then the session needs no
	// allocation in a caller that it does not outlive.
	var s Session[T]
	return v.verify(tok, &s)
}

// Recheck asks again about a session that Verify or View returned for tok a while ago,
// for a response that goes on since. It returns an error that wraps [ErrInvalid] once
// Verify would: tok has expired, or the [Opener] does not believe its key any more.
// It costs no cryptography if the Opener has a method CheckKey, as key rings do.
//
// Not checked: what the claims say besides, as it was once.
func (v *Verifier[T]) Recheck(tok string, c *Claims) error {
	if err := v.config.judgeTimes(c, time.Now()); err != nil {
		return err
	}
	if k, ok := v.opener.(interface{ CheckKey(tok string) error }); ok {
		return k.CheckKey(tok)
	}
	_, err := v.opener.Open(tok, v.binding)
	return err
}

// Identify returns the claims of a token whose session has not ended, whether the token
// is good by now or not: the session may go on with another one. It is for who ends a
// session, and no reason to let anybody in. Its errors are those of Verify; it decodes
// no data.
func (v *Verifier[T]) Identify(tok string) (Claims, error) {
	if len(tok) > MaxSize {
		return Claims{}, ErrTooLarge
	}
	c, err := v.opener.Open(tok, v.binding)
	now := time.Now()
	if err == nil {
		err = v.config.judge(c, v.binding, now)
	}
	if (err == errIdle || err == ErrNotYet) && now.Add(-v.config.Leeway).Before(c.EndsAt) {
		err = nil
	}
	if err != nil {
		return Claims{}, err
	}
	return c, nil
}

// errElsewhere says nothing about the token, so it is a 503.
var errElsewhere = errors.New("token: the session data is not in the token, and this program does not read it from elsewhere")

// VerifyWith is Verify for tokens that may be without their data: for one that is
// good and has an Overflow it calls load for the data. The error of load is returned as
// it is. Load is not called by a Verifier[struct{}], which needs no data.
func (v *Verifier[T]) VerifyWith(tok string, load func(c Claims) (raw string, err error)) (*Session[T], error) {
	found, err := v.find(tok, nil)
	if err != nil && err != errElsewhere {
		return nil, err
	}
	s := *found
	if err == errElsewhere {
		if s.Raw, err = load(s.Claims); err == nil {
			s.data = v.content()
			err = v.decode(s.Raw, &s.data.value)
		}
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// verify fills s and returns it, or nil and an error.
func (v *Verifier[T]) verify(tok string, s *Session[T]) (*Session[T], error) {
	found, err := v.find(tok, s)
	if err != nil {
		return nil, err
	}
	*s = *found
	return s, nil
}

// find returns the session of tok: one that others have too, or one in the room, which is
// new if it is nil. With errElsewhere it returns the session as well.
func (v *Verifier[T]) find(tok string, room *Session[T]) (s *Session[T], err error) {
	if len(tok) > MaxSize {
		return nil, ErrTooLarge
	}
	if v.cached == nil {
		s, err = v.open(tok, room)
	} else {
		now := time.Now() // first, as it makes the processor wait for what a hit reads
		var opened any
		if opened, err = v.cached.OpenOnce(tok, v.binding, v, v.believe); err == nil {
			s, err = v.share(opened.(*kept[T]), room, now)
		}
	}
	if err == nil && s.Overflow != "" && !v.sharing.unread {
		err = errElsewhere
	}
	return s, err
}

func (v *Verifier[T]) open(tok string, s *Session[T]) (_ *Session[T], err error) {
	if s == nil {
		s = new(Session[T])
	}
	if s.Claims, err = v.opener.Open(tok, v.binding); err != nil {
		return nil, err
	}
	s.data = v.content()
	return s, v.judged(&s.Claims, &s.data.value)
}

// judged judges claims and decodes their data, if they have it.
func (v *Verifier[T]) judged(c *Claims, data *T) error {
	if err := v.config.judge(*c, v.binding, time.Now()); err != nil || c.Overflow != "" {
		return err
	}
	return v.decode(c.Raw, data)
}

func (v *Verifier[T]) decode(raw string, data *T) error {
	if v.sharing.unread {
		return nil
	}
	return decodeData([]byte(raw), data)
}
