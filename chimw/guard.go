package chimw

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/carnet-go/carnet/chimw/overflow"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// A Guard lets requests with a session pass, and ends sessions. It can't mint: a
// node that has only Guards cannot be made to. It is safe for concurrent use.
type Guard[T any] struct {
	verifier *token.Verifier[T]
	list     revocation.List    // is told
	checker  revocation.Checker // is asked
	root     *Guard[T]          // that this one was made from by With, or itself
	cookie   *cookie
	bearer   bool
	origins  *http.CrossOriginProtection
	report   func(*http.Request, error)
	overflow overflow.Store // nil if data must be in the token
}

// NewGuard returns a Guard that believes what v believes and c.Revocation has
// not taken back. It panics if c is not usable, which is a mistake in the
// program.
func NewGuard[T any](v *token.Verifier[T], c Config) *Guard[T] {
	if v == nil {
		panic("chimw: NewGuard needs a Verifier")
	}
	c = c.withDefaults()
	origins, err := c.origins()
	must(c.Cookie.check(), err)
	g := &Guard[T]{v, c.Revocation, c.Revocation, nil, newCookie(c.Cookie), c.Bearer, origins, c.Report, c.Overflow}
	g.root = g
	return g
}

// Require passes on requests with a session, which the handler finds with
// [FromContext]. It refuses all others: 401, 403 or 503.
func (g *Guard[T]) Require(next http.Handler) http.Handler { return g.middleware(next, true, nil) }

// Load passes on requests with a session, as Require does, and also those that
// have none, or one that is not to be believed: for these [FromContext] finds
// nothing. It refuses a request from another origin that has the cookie, and one
// of which it could not tell: a user must not seem logged out because of an
// outage.
func (g *Guard[T]) Load(next http.Handler) http.Handler { return g.middleware(next, false, nil) }

func (g *Guard[T]) middleware(next http.Handler, required bool, renew func(http.ResponseWriter, *http.Request, *state[T])) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st, err := g.authenticate(r)
		switch h := w.Header(); {
		case h["Vary"] == nil && st != nil:
			h["Vary"] = st.varyByCookie()
		case !slices.Contains(h["Vary"], "Cookie"):
			h.Add("Vary", "Cookie")
		}
		switch {
		case err == nil && renew != nil:
			renew(w, r, st)
		case err == nil || !required && err == ErrNoToken:
		case !required && noSession(err):
			g.report(r, err)
		default:
			g.refuse(w, r, err)
			return
		}
		if !st.entered {
			defer st.leave(g, r)
		}
		next.ServeHTTP(w, st.within(r))
	})
}

// authenticate finds out what session the request brings. What an outer
// middleware of this Guard found holds, if it was about the same credential: a
// handler may send requests of its own with the context of the one that it got.
func (g *Guard[T]) authenticate(r *http.Request) (*state[T], error) {
	sent := g.read(r)
	if sent.err != ErrNoToken {
		if err := g.checkOrigin(r, sent); err != nil {
			return nil, err
		}
	}
	if st := g.state(r.Context()); st != nil && st.isFor(sent) {
		return st, g.again(r.Context(), st)
	}
	st := &state[T]{Context: r.Context(), guard: g, bearer: sent.bearer, bearerNow: sent.bearer, unread: sent.err != nil}
	st.found.tok, st.found.err = sent.tok, sent.err
	if sent.err != nil {
		return st, sent.err
	}
	st.found.View, st.found.err = g.view(r.Context(), sent.tok)
	return st, st.found.err
}

// read takes the credential out of the headers of a request.
func (g *Guard[T]) read(r *http.Request) credential {
	tok, err := g.cookie.find(r.Header["Cookie"])
	if !g.bearer {
		return credential{tok, false, err}
	}
	btok, berr := findBearer(r.Header["Authorization"])
	switch {
	case berr == ErrNoToken:
		return credential{tok, false, err}
	case err == ErrNoToken:
		return credential{btok, true, berr}
	}
	return credential{"", false, ErrTwoTokens}
}

// view is believe for a session that is not to be changed.
func (g *Guard[T]) view(ctx context.Context, tok string) (v token.View[T], err error) {
	if g.overflow != nil {
		s, err := g.believe(ctx, tok)
		if err != nil {
			return v, err
		}
		return s.View(), nil
	}
	if v, err = g.verifier.View(tok); err == nil {
		err = g.checker.Check(ctx, v.Claims())
	}
	if err != nil {
		return token.View[T]{}, err
	}
	return v, nil
}

// believe verifies a token and asks whether it was taken back.
func (g *Guard[T]) believe(ctx context.Context, tok string) (*token.Session[T], error) {
	verify := g.verifier.Verify
	if g.overflow != nil {
		verify = func(tok string) (*token.Session[T], error) { return g.verify(ctx, tok) }
	}
	s, err := verify(tok)
	if err != nil {
		return nil, err
	}
	if err := g.checker.Check(ctx, s.Claims); err != nil {
		return nil, err
	}
	return s, nil
}

// checkOrigin returns [ErrCrossOrigin] for a request that another site's page
// made the browser send. No page can make it add a bearer token.
func (g *Guard[T]) checkOrigin(r *http.Request, c credential) error {
	if g.cookie.localhost && !isLocalhost(r.Host) {
		return errNotLocalhost
	}
	if c.bearer {
		return nil
	}
	if r.Header["Upgrade"] != nil {
		// A GET that opens a WebSocket is as good as a POST.
		post := *r
		post.Method = http.MethodPost
		r = &post
	}
	if g.origins.Check(r) != nil {
		return ErrCrossOrigin
	}
	return nil
}

// noSession reports whether err means that a request has no session, rather than
// that it must not be served or that nobody could tell.
func noSession(err error) bool {
	return errors.Is(err, token.ErrInvalid) && !errors.Is(err, ErrCrossOrigin)
}

// retryAfter is in seconds. A store that fails over is back in about that time.
const retryAfter = "3"

// refuse answers a request that does not pass. The answer shows the status and
// no more of the reason.
func (g *Guard[T]) refuse(w http.ResponseWriter, r *http.Request, err error) {
	g.report(r, err)
	status := http.StatusServiceUnavailable
	switch h := w.Header(); {
	case errors.Is(err, ErrCrossOrigin):
		status = http.StatusForbidden
	case errors.Is(err, token.ErrInvalid):
		status = http.StatusUnauthorized
		if g.bearer {
			h.Set("WWW-Authenticate", challenge(err))
		}
	default:
		h.Set("Retry-After", retryAfter)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}
