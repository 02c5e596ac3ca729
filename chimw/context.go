package chimw

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/carnet-go/carnet/token"
)

// FromContext returns the session of the request that ctx belongs to, as the
// nearest [Guard] or [Sessions] for data of type T found it, with what Login,
// Update and Logout have changed since. There is none after a logout, on a route
// without a middleware, and behind Load for a request without one.
//
// The session is the caller's, and what he changes in it shows nowhere else. Use
// [Sessions.Update]. The exception is data that can't be copied (see
// [token.Session.Data]): all handlers of the request share it, and a renewal further
// in may put into its token what one of them has changed. So don't change it.
func FromContext[T any](ctx context.Context) (s *token.Session[T], ok bool) {
	// No more than this, so that it is inlined: then the session needs no
	// allocation in a handler that it does not outlive.
	var mine token.Session[T]
	return fromContext(ctx, &mine)
}

func fromContext[T any](ctx context.Context, s *token.Session[T]) (*token.Session[T], bool) {
	st, _ := ctx.Value(nearest[T]{}).(*state[T])
	if st == nil {
		return nil, false
	}
	h := st.now()
	if h.err != nil {
		return nil, false
	}
	*s = h.Session()
	return s, true
}

// nearest is the key of the innermost state for data of type T.
type nearest[T any] struct{}

// A credential is what was found where a token could be.
type credential struct {
	tok    string
	bearer bool
	err    error // why tok stands for no session
}

// A held is a session and the token that stands for it, or why there is none.
type held[T any] struct {
	token.View[T]
	tok string
	err error
}

// A state is what a Guard knows of a request. It is a context itself, which
// saves an allocation, and answers to two keys: nearest, and its Guard.
//
// Only what is atomic may be read while another goroutine writes it. As with the
// ResponseWriter, one goroutine changes the rest.
type state[T any] struct {
	context.Context
	guard   *Guard[T]                // who found the session
	judge   atomic.Pointer[Guard[T]] // who let it pass since; nil is guard
	changed atomic.Pointer[held[T]]  // what was made of it since; nil is found
	watch   atomic.Pointer[watch]    // nil until somebody wants to hear of the end
	entered bool                     // it is in the context of a request

	bearer, bearerNow bool         // what found, and what now has is a bearer token
	unread            bool         // found has the reason why no token could be read
	changing          atomic.Int32 // calls that take the session back and give another

	// What would be allocations of their own.
	found   held[T] // with the request
	vary    [1]string
	request http.Request
}

// now returns what the request has by now.
func (st *state[T]) now() *held[T] {
	if h := st.changed.Load(); h != nil {
		return h
	}
	return &st.found
}

// judging returns the Guard that the session has to please by now.
func (st *state[T]) judging() *Guard[T] {
	if g := st.judge.Load(); g != nil {
		return g
	}
	return st.guard
}

// isFor reports whether the state is about the credential that a request brings. What
// could be read is known by its text, be it empty, and the rest by the reason.
func (st *state[T]) isFor(sent credential) bool {
	return st.found.tok == sent.tok && st.bearer == sent.bearer && st.unread == (sent.err != nil) &&
		(sent.err == nil || sent.err == st.found.err)
}

// varyByCookie returns the value of a Vary header. It has no room: who appends to
// it gets memory of his own.
func (st *state[T]) varyByCookie() []string {
	st.vary[0] = "Cookie"
	return st.vary[:]
}

// Value returns the state for its two keys, and leaves the others to the context
// that it extends.
func (st *state[T]) Value(key any) any {
	if key == any(nearest[T]{}) || key == any(st.guard.root) {
		return st
	}
	if w := st.watch.Load(); w != nil {
		return w.Value(key) // which knows the cause
	}
	return st.Context.Value(key)
}

// Format keeps the token out of whatever prints a context.
func (*state[T]) Format(f fmt.State, _ rune) { io.WriteString(f, "chimw.session(redacted)") }

// become records that the session of the request is now s, or none.
func (st *state[T]) become(now credential, s *token.Session[T]) {
	next := &held[T]{tok: now.tok, err: now.err}
	if s != nil {
		next.View = s.View()
	}
	st.bearerNow = now.bearer
	st.changed.Store(next)
}

// credential returns what stands for the session by now.
func (st *state[T]) credential() credential {
	h := st.now()
	return credential{h.tok, st.bearerNow, h.err}
}

// state returns what this Guard knows of the request; nil is nothing.
func (g *Guard[T]) state(ctx context.Context) *state[T] {
	st, _ := ctx.Value(g.root).(*state[T])
	return st
}

// within returns r with the state as the nearest in its context.
func (st *state[T]) within(r *http.Request) *http.Request {
	switch {
	case !st.entered:
		st.entered = true
		st.request = *r.WithContext(st)
		return &st.request
	case r.Context().Value(nearest[T]{}) == any(st):
		return r
	}
	// An outer middleware made it, and another guard's came between.
	return r.WithContext(context.WithValue(r.Context(), nearest[T]{}, st))
}
