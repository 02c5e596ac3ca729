// Package start has sessions start after what the revocation list holds against others:
// a mark of all sessions of a subject goes by when a session started, and may lie ahead
// of this node's clock.
package start

import (
	"context"
	"errors"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// MaxMarks is how many marks can have come before one session. More than anybody makes,
// and an end for a list that goes on for ever.
const MaxMarks = 16

// Issue mints the first token of a session. What the list holds against the subject was
// set before, whatever the clocks say: if a mark's moment lies ahead of this node's clock
// the session starts at that moment. An error that is a [*revocation.RevokedError] says
// that it lies after the end of the session.
func Issue[T any](ctx context.Context, list revocation.Checker, i *token.Issuer[T], subject string, data T) (tok string, s *token.Session[T], err error) {
	tok, s, err = i.Issue(subject, data)
	for range MaxMarks {
		if err != nil {
			return "", nil, err
		}
		covered := list.Check(ctx, s.Claims)
		at := Moment(covered)
		if !at.After(s.StartedAt) {
			return tok, s, nil // good, or not to be told, or taken back by its key
		}
		if !at.Before(s.EndsAt) {
			return "", nil, covered
		}
		At(s, at)
		tok, s, err = i.Renew(s)
	}
	return tok, s, err
}

// At has a session start later than it did. It counts as no later login.
func At[T any](s *token.Session[T], at time.Time) {
	if s.AuthenticatedAt.IsZero() {
		s.AuthenticatedAt = s.StartedAt.Truncate(time.Second)
	}
	s.StartedAt = at
}

// Moment returns the moment of a mark that covers sessions by when they started, or zero
// for another error. It may have spared one; a list may not know any more which one it
// was.
func Moment(err error) time.Time {
	var covered *revocation.RevokedError
	if !errors.As(err, &covered) || covered.Mark.Axis == "session" {
		return time.Time{}
	}
	return covered.Mark.At
}
