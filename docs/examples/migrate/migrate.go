// Package migrate moves users from sessions in a store to sessions in a cookie while
// they go on working.
package migrate

import (
	"errors"
	"net/http"

	"github.com/carnet-go/carnet/chimw"
)

// User is what a session carries, in both ways.
type User struct {
	ID   string
	Name string
}

// Old is the session store that is to go.
type Old interface {
	// Find returns the user whose session the request has in the store, false if it
	// has none, and an error if the store can't tell.
	Find(r *http.Request) (u User, ok bool, err error)

	// End deletes the session that the request has in the store, if it has one.
	End(w http.ResponseWriter, r *http.Request) error
}

// A Bridge reads both kinds of sessions.
type Bridge struct {
	Sessions *chimw.Sessions[User]
	Old      Old
}

// User returns whose request it is, by either kind of session, and takes nobody over. It
// goes behind Sessions.Load.
func (b *Bridge) User(r *http.Request) (u User, ok bool, err error) {
	if s, ok := chimw.FromContext[User](r.Context()); ok {
		return s.Data(), true, nil
	}
	return b.Old.Find(r)
}

// Load is Sessions.Load, and takes who has only an old session over to a new one. It
// goes before Sessions.Require.
func (b *Bridge) Load(next http.Handler) http.Handler {
	return b.Sessions.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := chimw.FromContext[User](r.Context()); !ok {
			err := b.takeOver(w, r)
			if errors.Is(err, chimw.ErrCrossOrigin) { // another site's page sent it
				http.Error(w, "Forbidden", http.StatusForbidden)
				return
			}
			if err != nil {
				http.Error(w, "try again", http.StatusServiceUnavailable)
				return
			}
		}
		next.ServeHTTP(w, r)
	}))
}

// takeOver leaves the old session in the store: requests at the same time bring it
// too, and the response with the new cookie may get lost.
func (b *Bridge) takeOver(w http.ResponseWriter, r *http.Request) error {
	u, ok, err := b.Old.Find(r)
	if err != nil || !ok {
		return err
	}
	return b.Sessions.Login(w, r, u.ID, u)
}

// Logout ends both, the old one first: it could be taken over again.
func (b *Bridge) Logout(w http.ResponseWriter, r *http.Request) error {
	if err := b.Old.End(w, r); err != nil {
		return err
	}
	return b.Sessions.Logout(w, r)
}
