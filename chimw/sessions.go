package chimw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/carnet-go/carnet/internal/start"
	"github.com/carnet-go/carnet/token"
)

// Sessions are a [Guard] that can also start, change and renew sessions. It is
// safe for concurrent use.
type Sessions[T any] struct {
	*Guard[T]
	issuer *token.Issuer[T]
}

// New returns Sessions that mint with i, and no token that is too large for the
// cookie. It panics if c is not usable.
func New[T any](i *token.Issuer[T], c Config) *Sessions[T] {
	if i == nil {
		panic("chimw: New needs an Issuer")
	}
	g := NewGuard(i.Verifier(), c)
	return &Sessions[T]{g, i.Fitting(g.cookie.room(i.Verifier().Config().MaxAge))}
}

// Lasting returns Sessions of the same kind whose logins start sessions with these
// two times, as [token.Issuer.Lasting] does. It goes with the middlewares of s:
//
//	remember := sessions.Lasting(7*24*time.Hour, 30*24*time.Hour)
//	err := remember.Login(w, r, "alice", user)
//
// It panics if maxAge is longer than [token.Config].MaxAge.
func (s *Sessions[T]) Lasting(idle, maxAge time.Duration) *Sessions[T] {
	return &Sessions[T]{s.Guard, s.issuer.Lasting(idle, maxAge)}
}

// Require is [Guard.Require], and renews a session in a cookie when its token is
// due (see [token.Issuer.Due]): before half of its life has passed, or when its
// key mints no more. It does so before the handler runs. A renewal that fails
// leaves the old token good, and Config.Report is told.
//
// The cookie of a renewal must reach the browser. Behind a proxy that only asks
// whether a request may pass, and drops the headers of a yes, use Guard.Require.
func (s *Sessions[T]) Require(next http.Handler) http.Handler {
	return s.middleware(next, true, s.renew)
}

// Load is [Guard.Load], and renews as Require does.
func (s *Sessions[T]) Load(next http.Handler) http.Handler {
	return s.middleware(next, false, s.renew)
}

// Login starts a session of subject, whose password or the like the caller has
// just checked, and sets the cookie. The session id is always a new one. The
// session that the request came with, if any, is taken back first. Of its data
// nothing is kept but what the caller passes on.
//
// It returns an error, and leaves w alone, for a request from another origin
// ([ErrCrossOrigin]: somebody may want to have the user logged in as himself) or
// with two tokens, if the data does not fit (a [*token.SizeError]), and if
// minting or revoking fails.
func (s *Sessions[T]) Login(w http.ResponseWriter, r *http.Request, subject string, data T) error {
	err := s.checkOrigin(r, credential{}) // whether it has a bearer token or not
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer s.change(r)()
	tok, session, err := s.Issue(r.Context(), subject, data)
	if err == nil {
		_, err = s.end(w, r)
	}
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	s.put(w, r, tok, session)
	return nil
}

// Issue mints the first token of a session, as [token.Issuer.Issue] does, for a client
// that gets it otherwise than by [Sessions.Login], and for whom it is not too large.
// What the revocation list holds against the subject was set before this login, whatever
// the clocks say: if a mark's moment lies ahead of this node's clock the session starts at
// that moment. An error that is a [*revocation.RevokedError] says that it lies after the
// end of the session.
func (s *Sessions[T]) Issue(ctx context.Context, subject string, data T) (tok string, session *token.Session[T], err error) {
	return start.Issue(ctx, s.list, s.minting(ctx), subject, data)
}

// errBearer is a change that could not reach its client.
var errBearer = errors.New("a session in a bearer token can't be changed by a response")

// Update changes the data of the session, and sets the cookie if that changed
// what the token says. The session in the context is then the new one, and a
// further Update builds on it. Call it before the response is written, and from
// one goroutine at a time.
//
// The token is verified, and asked about, once more. An error wraps
// [token.ErrInvalid] if there is no good session by now; it is a
// [*token.SizeError] if the data does not fit. After any error, and if change
// panics, the session is what it was, and w is left alone.
//
// Of two requests that update a session at the same time the last response wins.
// What must not be lost belongs into a database.
func (s *Sessions[T]) Update(w http.ResponseWriter, r *http.Request, change func(*T)) error {
	if err := s.update(w, r, change); err != nil {
		return fmt.Errorf("update session: %w", err)
	}
	return nil
}

func (s *Sessions[T]) update(w http.ResponseWriter, r *http.Request, change func(*T)) error {
	session, err := s.changeable(w, r)
	if err != nil {
		return err
	}
	apply(change, session)
	tok, next, err := s.minting(r.Context()).Renew(session)
	if err != nil {
		return err
	}
	if next.Raw != session.Raw {
		s.put(w, r, tok, next)
	}
	return nil
}

// changeable returns the session of the request, if it is good by now and a
// response can change it. It is not the one in the context.
func (s *Sessions[T]) changeable(w http.ResponseWriter, r *http.Request) (*token.Session[T], error) {
	c, session, err := s.good(w, r)
	if err == nil && c.bearer {
		return nil, errBearer
	}
	return session, err
}

// renew gives a session that the middleware has let pass a new token.
func (s *Sessions[T]) renew(w http.ResponseWriter, r *http.Request, st *state[T]) {
	session := st.now().Session()
	if st.bearerNow || !s.issuer.Due(&session) {
		return
	}
	due := session // which Renew has on the heap; session, of each request, is not
	tok, next, err := s.minting(r.Context()).Renew(&due)
	if err != nil {
		s.report(r, fmt.Errorf("renew session: %w", err))
		return
	}
	s.cookie.set(w.Header(), tok, &next.Claims)
	st.become(credential{tok: tok}, next)
}

// put sends a token, and makes its session that of the request.
func (s *Sessions[T]) put(w http.ResponseWriter, r *http.Request, tok string, session *token.Session[T]) {
	s.cookie.set(w.Header(), tok, &session.Claims)
	if st := s.state(r.Context()); st != nil {
		st.become(credential{tok: tok}, session)
	}
}
