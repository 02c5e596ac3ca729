// Package freshness says what becomes of requests while a node's copy of the
// denylist is old.
//
// A node that answers from a copy, as one with package redislist does, knows all
// that was revoked up to some moment. How far back that may lie is for each route
// to say, by a [Policy]:
//
//	recent := freshness.NewChecker(denied, freshness.Closed(5*time.Second))
//	r.With(sessions.With(recent).Require).Post("/payments", pay)
//
// Whatever the policy, what the copy has is refused: a policy decides only about
// sessions that nothing in the copy covers.
//
// # Which one
//
// Use [Closed]. While nobody reaches the store no revocation anywhere is
// acknowledged, so what an old copy lacks is what other nodes revoked after this
// node alone was cut off. Who can cut a node off decides how long a stolen session
// goes on there, and the bound of Closed is the most that he gets.
//
// [Open] gives such an attacker as long as he keeps the node cut off. [Recent] and
// [Established] stand between the two; Recent is the safer one. A session can have
// been revoked unseen since it began or since the copy was complete, whichever is
// later. For one that began during the outage that is the shorter time.
package freshness

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// Never is the age of a copy that has not been complete yet.
const Never = time.Duration(math.MaxInt64)

// A Copy is a denylist as far as this node knows it. It is safe for concurrent
// use.
type Copy interface {
	// Look returns what the copy has about c: nil, or an error wrapping
	// [revocation.ErrRevoked]. Everything that was acknowledged longer than age ago
	// is in it; age is [Never] for a copy that may lack anything. Look waits for
	// nobody.
	Look(c token.Claims) (age time.Duration, err error)
}

// A Policy returns nil if a session may pass that nothing in a copy of that age
// covers. Any error means that it could not tell, so it must not wrap
// [token.ErrInvalid]: the answer is 503, and the cookie is kept.
type Policy func(c token.Claims, age time.Duration) error

// NewChecker returns a Checker that looks into the copy and asks the policy about
// what the copy does not have. Nil means Closed(0).
func NewChecker(from Copy, p Policy) revocation.Checker {
	if from == nil {
		panic("freshness: NewChecker needs a Copy")
	}
	if p == nil {
		p = Closed(0)
	}
	return checker{from, p}
}

type checker struct {
	from   Copy
	policy Policy
}

// Check never looks at ctx: it waits for nobody.
func (k checker) Check(_ context.Context, c token.Claims) error {
	age, err := k.from.Look(c)
	if err != nil {
		return err
	}
	return k.policy(c, age)
}

// A StaleError is a session that a policy did not let pass because of the age of
// the copy. It says nothing about the session.
type StaleError struct {
	Age   time.Duration // of the copy
	Bound time.Duration // of the policy
}

// Error has no claim in it.
func (e *StaleError) Error() string {
	if e.Age == Never {
		return "revocation: the copy of the denylist is not complete yet"
	}
	return fmt.Sprintf("revocation: the copy of the denylist is %v old, and the route allows %v", e.Age.Round(time.Millisecond), e.Bound)
}
