package chimw

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/carnet-go/carnet/internal/start"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// Elevate gives the session more rights, or other ones: it changes the data, as
// Update does, under a new session id, and takes the old session back on every node.
// Whoever has a token from before the change has nothing any more. A nil change
// changes nothing.
//
// The login stays when it was, and so does the end. Requests that the browser had
// sent at the same time are refused. A logout that overtakes it, on any node, logs
// the new session out as well. A session that began in this response, by Login or an
// earlier Elevate, keeps its id, as nobody has a token of it yet.
//
// Errors are as with [Sessions.Update], and one is that the list did not take the
// mark of the old session. After any error the session is what it was, and w is
// left alone.
func (s *Sessions[T]) Elevate(w http.ResponseWriter, r *http.Request, change func(*T)) error {
	if err := s.elevate(w, r, func(session *token.Session[T]) { apply(change, session) }); err != nil {
		return fmt.Errorf("elevate session: %w", err)
	}
	return nil
}

// Reauthenticate is Elevate for a user whose password or the like the caller has
// just checked once more. [Guard.RequireFresh] then goes by this moment. It does not
// make the session longer; [Sessions.Login] does.
func (s *Sessions[T]) Reauthenticate(w http.ResponseWriter, r *http.Request, change func(*T)) error {
	err := s.elevate(w, r, func(session *token.Session[T]) {
		session.AuthenticatedAt = time.Now().UTC().Truncate(time.Second)
		apply(change, session)
	})
	if err != nil {
		return fmt.Errorf("reauthenticate session: %w", err)
	}
	return nil
}

func apply[T any](change func(*T), session *token.Session[T]) {
	if change != nil {
		data := session.Data()
		change(&data)
		session.SetData(data)
	}
}

func (s *Sessions[T]) elevate(w http.ResponseWriter, r *http.Request, change func(*token.Session[T])) error {
	defer s.change(r)()
	session, err := s.changeable(w, r)
	if err != nil {
		return err
	}
	unsent := s.unsent(r, session.SessionID)
	change(session)
	tok, next, err := s.follow(r, session, unsent)
	if err != nil {
		return err
	}
	s.put(w, r, tok, next)
	return nil
}

// unsent reports whether a session began in this response. No client has a token of it
// yet.
func (s *Sessions[T]) unsent(r *http.Request, session string) bool {
	if st := s.state(r.Context()); st != nil {
		return st.found.Claims().SessionID != session
	}
	came, err := s.verifier.Identify(s.read(r).tok)
	if err != nil {
		return noSession(err)
	}
	return came.SessionID != session
}

// follow mints the token that takes the place of all that there are of a session. One
// that is unsent keeps its id: a logout that overtakes this response names the id that
// the client has and the one after it, and no third.
func (s *Sessions[T]) follow(r *http.Request, session *token.Session[T], unsent bool) (string, *token.Session[T], error) {
	if unsent {
		return s.minting(r.Context()).Renew(session)
	}
	tok, next, err := s.succeed(r.Context(), session)
	if err == nil {
		err = s.revoke(r, revocation.Session(session.Claims))
	}
	return tok, next, err
}

// succeed mints the successor of a session that is good. A mark of all others that
// spared the session would cover the successor, which has another id. So it starts
// when that mark was made: later marks still cover it.
func (s *Sessions[T]) succeed(ctx context.Context, session *token.Session[T]) (string, *token.Session[T], error) {
	checker := s.judging(ctx).checker
	for range start.MaxMarks {
		tok, next, err := s.minting(ctx).Elevate(session)
		if err != nil {
			return "", nil, err
		}
		if err = checker.Check(ctx, next.Claims); err == nil {
			return tok, next, nil
		}
		at := start.Moment(err)
		if !at.After(session.StartedAt) {
			return "", nil, err
		}
		if err := checker.Check(ctx, session.Claims); err != nil {
			return "", nil, err // it was made just now, and spares nobody here
		}
		start.At(session, at)
	}
	return "", nil, fmt.Errorf("%w: by too many marks", revocation.ErrRevoked)
}
