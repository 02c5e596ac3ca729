package chimw

import (
	"fmt"
	"net/http"

	"github.com/carnet-go/carnet/chimw/latest"
	"github.com/carnet-go/carnet/token"
)

// notLatest is a cookie whose successor the client has shown before.
type notLatest struct{}

func (notLatest) Error() string {
	return fmt.Sprintf("%v: the client has shown newer data of the session", token.ErrInvalid)
}

func (notLatest) Unwrap() error { return token.ErrInvalid }

// Reason is the word for it in logs and counters.
func (notLatest) Reason() string { return "not latest" }

// RequireLatest is [Guard.Require] for what must not be done with an older cookie of
// the session: it asks s, once for each request that passes Require, and refuses a
// token whose data is older than what the client has shown to such a route before.
// That is a 401, as for a token that is not to be believed. If s can't tell it is a
// 503. Package latest has the stores, and what this does not refuse.
func (g *Guard[T]) RequireLatest(s latest.Store) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return g.Require(g.latest(s, next)) }
}

// RequireLatest is [Guard.RequireLatest], and renews as Require does.
func (s *Sessions[T]) RequireLatest(store latest.Store) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return s.Require(s.latest(store, next)) }
}

// latest stands behind Require. A renewal in Require keeps the revision.
func (g *Guard[T]) latest(store latest.Store, next http.Handler) http.Handler {
	if store == nil {
		panic("chimw: RequireLatest needs a Store")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := g.state(r.Context()).now().Claims()
		ok, err := store.Advance(r.Context(), c.SessionID, c.Revision, c.EndsAt.Add(forgetAfter))
		if err == nil && !ok {
			err = notLatest{}
		}
		if err != nil {
			g.cookie.drop(w.Header()) // a renewal would give the browser the older data
			g.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}
