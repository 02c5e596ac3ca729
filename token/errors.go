package token

import (
	"errors"
	"fmt"
)

// ErrInvalid is the family of everything that can be wrong with a token. Members
// wrap it, here and in other packages, so errors.Is(err, ErrInvalid) tells "not
// to be believed" from "could not tell".
//
// The bare ErrInvalid is a token that does not decrypt or whose signature does
// not hold. Which of the two is not said: it would help only an attacker.
//
// The members are for the operator. A client should see one answer for all.
var ErrInvalid = errors.New("invalid token")

var (
	// ErrMalformed is a token that does not have the form of one.
	ErrMalformed = fmt.Errorf("%w: malformed", ErrInvalid)

	// ErrTooLarge is a token longer than any this module mints. It is refused
	// before it is looked at.
	ErrTooLarge = fmt.Errorf("%w: too large", ErrInvalid)

	// ErrBinding is a genuine token that was sealed for another purpose, issuer
	// or audience. A PASETO token binds these by its implicit assertion and
	// fails as the bare [ErrInvalid].
	ErrBinding = fmt.Errorf("%w: for another purpose, issuer or audience", ErrInvalid)

	// ErrClaims is a genuine token whose claims are missing, out of range or at
	// odds with one another.
	ErrClaims = fmt.Errorf("%w: unusable claims", ErrInvalid)

	// ErrExpired is a token past its ExpiresAt by more than the leeway. Either the
	// session has ended, or it has not been used for as long as it may idle; then
	// the error has a method Reason that returns "idle".
	ErrExpired = fmt.Errorf("%w: expired", ErrInvalid)

	// ErrNotYet is a token issued or started further ahead of this machine's
	// clock than the leeway. One of two clocks is wrong.
	ErrNotYet = fmt.Errorf("%w: issued in the future", ErrInvalid)

	// ErrData is a genuine token whose session data the program's type can't
	// take, as after an incompatible change of that type.
	ErrData = fmt.Errorf("%w: session data does not fit its type", ErrInvalid)
)

// A reason is an error with a word for it. It has no variable of its own, as it is
// for logs and counters, and nothing that a program decides by.
type reason struct {
	error
	word string
}

// errIdle is a token that could have been renewed and was not.
var errIdle error = &reason{fmt.Errorf("%w: idle for too long", ErrExpired), "idle"}

func (r *reason) Reason() string { return r.word }
func (r *reason) Unwrap() error  { return r.error }
