// Package revocation says which sessions were taken back.
//
// Use package filelist in a program that runs as one process, and package
// redislist in one that runs as several. [Memory] is for tests, and for whom a
// restart may let everybody in again. All are a [List]:
//
//	err := list.Revoke(ctx, revocation.Session(claims))                // log out
//	err = list.Revoke(ctx, revocation.Subject("alice", config.MaxAge)) // log out everywhere
//	err = list.Check(ctx, claims)                                      // with each request
//
// # Marks
//
// A token can't be unsigned, so what is taken back is written down: a [Mark]
// names a session, a subject, an audience, a key, or everyone. Except for
// sessions and keys, which are taken back whole, it covers the sessions that
// started before a moment. It is compared with StartedAt, never with IssuedAt,
// which each renewal moves: a tab that polls would escape for ever. A mark is
// forgotten once nothing that it covers can be alive, so a list stays as short
// as the logouts of one MaxAge.
//
// # Clocks
//
// On one clock a mark is exact: it covers each login before it and none after.
// A session from a node whose clock is ahead of the one that makes the mark, by
// more than the time that passed between the two, is not covered, unless At lies
// ahead by as much. A list on Redis sees to that by itself: its nodes know how far
// the fastest clock is ahead. Who logs in after a mark starts at its At if that is
// later than this node's now; the Login and Issue of package chimw do so. Marks of
// sessions and keys compare no clocks.
package revocation

import (
	"context"
	"fmt"

	"github.com/carnet-go/carnet/token"
)

// A Checker knows which sessions were taken back. It is safe for concurrent use.
type Checker interface {
	// Check returns nil if nothing in force covers c, and an error wrapping
	// [ErrRevoked] if a mark does: a [*RevokedError] that says which. Any other
	// error means that it could not tell, which is neither a yes nor a no. With a
	// ctx that is done it may return an error, but never nil for what was revoked.
	//
	// The claims must come from a [token.Verifier]; Check doesn't judge them. An
	// attacker who can choose claims can choose ones that no mark covers.
	Check(ctx context.Context, c token.Claims) error
}

// A List is a [Checker] that can be told. Package revocationtest has the tests
// that every List must pass.
type List interface {
	Checker

	// Revoke returns nil once the marks hold: every later Check of this List
	// sees them. After an error some of them may hold and others may not, unless
	// the error is that [Mark.Normalize] refused one: then none was stored. It is
	// safe to try again, as a mark that is there twice is there once, and the
	// order of marks doesn't matter. A mark whose Until has passed is no error.
	//
	// A List never drops a mark before its Until to make room: that would log
	// somebody in again. It refuses the new one.
	Revoke(ctx context.Context, m ...Mark) error
}

// ErrRevoked is a genuine token whose session was taken back. It is of the
// family of [token.ErrInvalid].
var ErrRevoked = fmt.Errorf("%w: revoked", token.ErrInvalid)

// A RevokedError is an [ErrRevoked] that says which mark it was. The text has
// the axis and the reason, and no value of a claim; the Mark has them.
type RevokedError struct {
	Mark Mark
}

// Error has the axis and the reason, which are no claims.
func (e *RevokedError) Error() string {
	text := fmt.Sprintf("%v (%s)", ErrRevoked, e.Mark.Axis)
	if e.Mark.Reason != "" {
		text += ": " + e.Mark.Reason
	}
	return text
}

// Unwrap returns [ErrRevoked].
func (e *RevokedError) Unwrap() error { return ErrRevoked }
