package token

import (
	"fmt"
	"time"
)

// Lasting returns an Issuer for the same tokens whose sessions may idle for idle
// and end maxAge after the login, both in whole seconds. Each session keeps its
// two times, whichever Issuer renews it:
//
//	remember := issuer.Lasting(7*24*time.Hour, 30*24*time.Hour)
//	kiosk := issuer.Lasting(10*time.Minute, 10*time.Minute) // no renewal
//
// It panics if maxAge is longer than [Config].MaxAge, which no verifier would
// believe. A stolen token of a session that may idle for a week is good for a
// week unless it is revoked.
func (i *Issuer[T]) Lasting(idle, maxAge time.Duration) *Issuer[T] {
	c := i.verifier.config
	if maxAge > c.MaxAge {
		panic(fmt.Sprintf("token: sessions that last %v need a Config.MaxAge of as much, on verifiers too", maxAge))
	}
	c.Lifetime, c.MaxAge = idle, maxAge
	if err := c.check(); err != nil {
		panic(err.Error())
	}
	next := *i
	next.idle, next.maxAge = idle, maxAge
	return &next
}

// idle returns how long the session may idle: the life of its tokens. The last
// one, which ends with the session, is cut short and can't tell; the next would
// be cut as well.
func (c *Claims) idle() time.Duration {
	if c.ExpiresAt.Before(c.EndsAt) {
		return c.ExpiresAt.Sub(c.IssuedAt)
	}
	return c.EndsAt.Sub(c.StartedAt)
}

// Due reports whether it is time to renew the token of s: it was sealed with a key
// that mints no more, or between 3/8 and 1/2 of its life have passed. Where in
// between depends on the token, so that sessions that began together are not all
// renewed at once. There is no need if a new token would live no longer.
func (i *Issuer[T]) Due(s *Session[T]) bool {
	c, now := &s.Claims, time.Now()
	switch {
	case !now.Before(c.EndsAt):
		return false
	case i.retired(c.KeyID):
		return true
	case !c.ExpiresAt.Before(c.EndsAt):
		return false
	}
	life := c.ExpiresAt.Sub(c.IssuedAt)
	return now.After(c.IssuedAt.Add(life/2 - life/8*c.jitter()/64))
}

// jitter returns 0 to 63. The ids of tokens are random.
func (c *Claims) jitter() time.Duration {
	if c.ID == "" {
		return 0
	}
	return time.Duration(c.ID[0] & 63)
}
