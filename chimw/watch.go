package chimw

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// lookEvery is how long a response may go on after requests of its session are
	// refused here.
	lookEvery = time.Second

	// lookTimeout is how long a list may take to say that a session goes on.
	lookTimeout = 5 * time.Second
)

// A watch is a context that is cancelled when the session of a request has ended.
// It is made when somebody first wants to hear of the end. Each has a timer and no
// goroutine, and a list that is slow for one holds up no other.
type watch struct {
	context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// Done is closed when the request is over, and when its session is.
func (st *state[T]) Done() <-chan struct{} { return st.watched().Done() }

// Err is not nil any more when the request is over, or its session.
func (st *state[T]) Err() error { return st.watched().Err() }

func (st *state[T]) watched() *watch {
	if w := st.watch.Load(); w != nil {
		return w
	}
	w := new(watch)
	w.Context, w.cancel = context.WithCancelCause(st.Context)
	w.timer = time.AfterFunc(time.Hour, func() { st.look(w) })
	if !st.watch.CompareAndSwap(nil, w) {
		w.timer.Stop()
		w.cancel(nil)
		return st.watch.Load()
	}
	w.timer.Reset(untilLook())
	return w
}

// untilLook differs from time to time, so that the looks of many responses don't
// come at once, whatever made them begin together.
func untilLook() time.Duration { return lookEvery - rand.N(lookEvery/4) }

// look cancels the context if the session has ended.
func (st *state[T]) look(w *watch) {
	if w.Err() != nil {
		return
	}
	h := st.now()
	if err := st.ask(w, h); err != nil && st.changing.Load() == 0 && st.now() == h {
		w.cancel(&cutShort{err})
		return
	}
	w.timer.Reset(untilLook())
}

// ask asks what a new request of the session would be told. Nobody is logged in
// behind Load without a session, and after a logout by the handler, which knows.
func (st *state[T]) ask(ctx context.Context, h *held[T]) error {
	if h.err != nil {
		return nil
	}
	g, c := st.judging(), h.Claims()
	if err := g.verifier.Recheck(h.tok, &c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return g.checker.Check(ctx, c)
}

// cutShort is the cause of a context that was cancelled because a new request of
// the session would have been refused, and wraps the reason.
type cutShort struct{ error }

func (e *cutShort) Error() string { return "response cut short: " + e.error.Error() }
func (e *cutShort) Unwrap() error { return e.error }

// leave ends the watch, if there is one: the handler has returned.
func (st *state[T]) leave(g *Guard[T], r *http.Request) {
	w := st.watch.Load()
	if w == nil {
		return
	}
	w.timer.Stop()
	why := context.Cause(w)
	w.cancel(nil)
	if _, ours := errors.AsType[*cutShort](why); ours && context.Cause(st.Context) != why {
		g.report(r, why)
	}
}

// change says that a call begins which takes the session of the request back, and
// gives it another or none: that is no end of which the handler must be told. It
// returns a function to call after that.
func (g *Guard[T]) change(r *http.Request) (done func()) {
	st := g.state(r.Context())
	if st == nil {
		return func() {}
	}
	st.changing.Add(1)
	return func() { st.changing.Add(-1) }
}
