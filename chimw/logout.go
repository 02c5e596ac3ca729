package chimw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// Logout takes the session of the request back, on every node that shares the
// revocation list, and clears the cookie. A response that is in flight on any node,
// and sets the cookie anew, logs nobody in again. Mount it on POST, and not behind
// Require, which refuses whose session has just expired or been replaced.
//
// If the list did not take the mark Logout returns an error and leaves w alone:
// the user still has the session and can try again. It also returns an error for
// a request from another origin and for one with two tokens. A client that hangs
// up does not stop it; a deadline of the request's context does.
//
// A session that was idle for too long is taken back too: somebody else may have kept a
// copy of it alive.
//
// A request without a session has its cookie cleared, and no error. That goes
// for a token that is not to be believed too, of which there is nothing to take
// back here. The same token may be good on a node with newer keys; Config.Report is
// told.
func (g *Guard[T]) Logout(w http.ResponseWriter, r *http.Request) error {
	defer g.change(r)()
	c, err := g.end(w, r)
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	g.forget(w, r, c)
	return nil
}

// end takes back the session of the request, if it has one.
func (g *Guard[T]) end(w http.ResponseWriter, r *http.Request) (credential, error) {
	claims, c, err := g.session(w, r)
	switch {
	case err == nil:
		return c, g.revoke(r, whole(claims)...)
	case !noSession(err), errors.Is(err, ErrTwoTokens): // either may be a good one
		return c, err
	case !errors.Is(err, ErrNoToken):
		g.report(r, err)
	}
	return c, nil
}

// whole returns the marks of a session, and of the one that a response in flight
// may be making of it.
func whole(c token.Claims) []revocation.Mark {
	next := c
	next.SessionID = c.Successor()
	return []revocation.Mark{revocation.Session(c), revocation.Session(next)}
}

// LogoutOthers takes back each session that the subject of this one has started
// until now, except this one: after a change of the password, say. It needs a
// session that is good, as [Guard.LogoutEverywhere] does, and leaves w alone.
func (g *Guard[T]) LogoutOthers(w http.ResponseWriter, r *http.Request) error {
	_, s, err := g.good(w, r)
	if err == nil {
		others := revocation.Subject(s.Subject, g.verifier.Config().MaxAge)
		others.Except = s.SessionID
		err = g.revoke(r, others)
	}
	if err != nil {
		return fmt.Errorf("log out the others: %w", err)
	}
	return nil
}

// LogoutEverywhere takes back this session and each one that its subject has
// started until now, and clears the cookie. It needs a session that is good: an
// error wraps [token.ErrInvalid] if the request has none, and w is left alone
// after any error, as by [Guard.Logout].
//
// Whether it covers a login of the last moments on a node whose clock is ahead is for
// the list: one on Redis does, but for the last second; see package revocation. A login
// on a node that has not heard of the mark may be taken back with the others.
func (g *Guard[T]) LogoutEverywhere(w http.ResponseWriter, r *http.Request) error {
	defer g.change(r)()
	c, s, err := g.good(w, r)
	if err == nil {
		all := revocation.Subject(s.Subject, g.verifier.Config().MaxAge)
		err = g.revoke(r, append(whole(s.Claims), all)...)
	}
	if err != nil {
		return fmt.Errorf("log out everywhere: %w", err)
	}
	g.forget(w, r, c)
	return nil
}

// current returns the credential of the request by now: as the middleware found
// it, or as this response sets it, or as the request brings it. The error is the
// credential's, or [ErrCrossOrigin].
func (g *Guard[T]) current(w http.ResponseWriter, r *http.Request) (credential, error) {
	var c credential
	if st := g.state(r.Context()); st != nil {
		c = st.credential()
	} else if tok, ok := g.cookie.pending(w.Header()); !ok {
		c = g.read(r)
	} else if c.tok = tok; tok == "" {
		c.err = ErrNoToken
	}
	// Even without a token: a foreign page's form could have the cookie cleared,
	// although the browser does not send it along.
	if err := g.checkOrigin(r, c); err != nil {
		return c, err
	}
	return c, c.err
}

// good returns the session of the request, decoded afresh, if it is good by now. A
// stolen token that was taken back must not log its owner out.
func (g *Guard[T]) good(w http.ResponseWriter, r *http.Request) (credential, *token.Session[T], error) {
	c, err := g.current(w, r)
	if err != nil {
		return c, nil, err
	}
	s, err := g.judging(r.Context()).believe(r.Context(), c.tok)
	return c, s, err
}

// session returns the claims of the session of the request, revoked or not, and idle or
// not. One that was taken back a moment ago may live on as its successor, in a response
// that this client has not got yet.
func (g *Guard[T]) session(w http.ResponseWriter, r *http.Request) (token.Claims, credential, error) {
	c, err := g.current(w, r)
	if err != nil && (c.tok == "" || !noSession(err)) {
		return token.Claims{}, c, err
	}
	if st := g.state(r.Context()); st != nil && err == nil {
		return st.now().Claims(), c, nil
	}
	claims, err := g.verifier.Identify(c.tok)
	return claims, c, err
}

// revokeTimeout bounds the wait of a logout in a program that sets no deadline.
// It is longer than a store takes to fail over.
const revokeTimeout = 10 * time.Second

// revoke stores marks, also for a client that has hung up: closing the window
// right after the click must not undo a logout.
func (g *Guard[T]) revoke(r *http.Request, marks ...revocation.Mark) error {
	end, ok := r.Context().Deadline()
	if !ok {
		end = time.Now().Add(revokeTimeout)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(r.Context()), end)
	defer cancel()
	return g.list.Revoke(ctx, marks...)
}

// forget ends the request's session here, after it was taken back. A client with
// a bearer token has no cookie to clear.
func (g *Guard[T]) forget(w http.ResponseWriter, r *http.Request, c credential) {
	if !c.bearer {
		g.cookie.clear(w.Header())
	}
	if st := g.state(r.Context()); st != nil {
		st.become(credential{err: ErrNoToken}, nil)
	}
}
