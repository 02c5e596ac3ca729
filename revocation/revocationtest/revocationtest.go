// Package revocationtest has the tests that every [revocation.List] must pass.
package revocationtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// TestList tests what every list promises, each promise in a subtest of its own.
// Open returns a list without marks, and leaves the closing to t.Cleanup.
//
// Run runs one subtest. Use [testing/synctest.Test] for a list that works in a
// bubble: time costs nothing there. Nil means real time, for a list that talks
// to a server; two of the subtests then wait for a fraction of a second.
//
// Not tested: what a second List on the same server sees. For restarts and other
// faults see [TestFaults].
func TestList(t *testing.T, open func(t *testing.T) revocation.List, run func(t *testing.T, test func(t *testing.T))) {
	if run == nil {
		run = func(t *testing.T, test func(t *testing.T)) { test(t) }
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			run(t, func(t *testing.T) { p.test(tester{t, open(t)}) })
		})
	}
}

// A tester has the list under test.
type tester struct {
	*testing.T
	list revocation.List
}

func (s tester) revoke(marks ...revocation.Mark) {
	s.Helper()
	if err := s.list.Revoke(s.Context(), marks...); err != nil {
		s.Fatalf("Revoke: %v", err)
	}
}

func (s tester) refuses(what string, c token.Claims) {
	s.Helper()
	if err := s.list.Check(s.Context(), c); !errors.Is(err, revocation.ErrRevoked) {
		s.Errorf("%s: got %v, want it refused", what, err)
	}
}

func (s tester) accepts(what string, c token.Claims) {
	s.Helper()
	if err := s.list.Check(s.Context(), c); err != nil {
		s.Errorf("%s: got %v, want it accepted", what, err)
	}
}

// accepted reports a "could not tell" and takes the rest for an answer.
func (s tester) accepted(c token.Claims) bool {
	s.Helper()
	err := s.list.Check(s.Context(), c)
	if err != nil && !errors.Is(err, revocation.ErrRevoked) {
		s.Errorf("Check: %v", err)
	}
	return err == nil
}

const tick = time.Microsecond // what a mark can tell apart

// ago returns a moment as exact as claims are.
func ago(d time.Duration) time.Time { return time.Now().UTC().Truncate(tick).Add(-d) }

// login returns the first claims of a session that began at that time.
func login(who string, at time.Time) token.Claims {
	second := at.Truncate(time.Second)
	return token.Claims{
		Binding:   token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		ID:        newID(),
		SessionID: newID(),
		Subject:   who,
		KeyID:     "2026-a",
		StartedAt: at,
		IssuedAt:  second,
		ExpiresAt: second.Add(30 * time.Minute),
		EndsAt:    second.Add(12 * time.Hour),
	}
}

// newID returns an id that comes once. It is not from crypto/rand, which in a
// process that is bound to FIPS 140 needs the jitter of the clock: in a bubble
// that stands still.
func newID() string { return fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()) }

// renewed returns the claims of a token of the same session that is minted now.
func renewed(c token.Claims) token.Claims {
	c.ID = newID()
	c.IssuedAt = time.Now().UTC().Truncate(time.Second)
	c.ExpiresAt = c.IssuedAt.Add(30 * time.Minute)
	return c
}

// with returns claims that differ in one thing.
func with(c token.Claims, change func(c *token.Claims)) token.Claims {
	change(&c)
	return c
}

// before returns the mark that covers what started before that time, for a
// MaxAge of 12 hours.
func before(at time.Time, axis revocation.Axis, value string) revocation.Mark {
	return revocation.Mark{Axis: axis, Value: value, At: at, Until: at.Add(13 * time.Hour)}
}
