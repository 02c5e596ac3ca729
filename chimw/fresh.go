package chimw

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/carnet-go/carnet/token"
)

// notFresh is a request with a good session whose user has not proved for a while
// who he is. It is a 401, and to be answered by a login or by
// [Sessions.Reauthenticate].
type notFresh struct{ within time.Duration }

func (e *notFresh) Error() string {
	return fmt.Sprintf("%v: the user has not authenticated within %v", token.ErrInvalid, e.within)
}

func (e *notFresh) Unwrap() error { return token.ErrInvalid }

// Reason is the word for it in logs and counters.
func (e *notFresh) Reason() string { return "not fresh" }

// RequireFresh is [Guard.Require] for what should ask for the password once more:
// it also refuses a session whose user has not proved within the last d who he is,
// by a login or by [Sessions.Reauthenticate]. That is a 401, and with
// [Config].Bearer the client is told by the words of RFC 9470.
//
// To send the user to a page of your own, use Require and [token.Claims.Fresh].
func (g *Guard[T]) RequireFresh(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return g.Require(g.fresh(d, next)) }
}

// RequireFresh is [Guard.RequireFresh], and renews as Require does.
func (s *Sessions[T]) RequireFresh(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return s.Require(s.fresh(d, next)) }
}

// fresh stands behind Require.
func (g *Guard[T]) fresh(d time.Duration, next http.Handler) http.Handler {
	if d <= 0 {
		panic(fmt.Sprintf("chimw: RequireFresh(%v) would refuse everybody", d))
	}
	stale := &notFresh{d}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := g.state(r.Context()).now().Claims()
		if !c.Fresh(d) {
			g.refuse(w, r, stale)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// challenge is what a 401 says to a client with a bearer token.
func challenge(err error) string {
	if e, ok := err.(*notFresh); ok {
		return `Bearer error="insufficient_user_authentication", max_age="` + strconv.Itoa(int(e.within/time.Second)) + `"`
	}
	return "Bearer"
}
