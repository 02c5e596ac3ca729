package chimw

import (
	"context"

	"github.com/carnet-go/carnet/revocation"
)

// With returns a Guard that asks k what was taken back, and is g in all else: for
// routes that take more or less care than the others. Logout still tells
// [Config].Revocation. See package freshness for what k can be:
//
//	careful := guard.With(freshness.NewChecker(denied, freshness.Closed(5*time.Second)))
//	r.With(careful.Require).Post("/payments", pay)
//
// Behind a middleware of g it asks k as well. What the handler does with the
// session, like an Update, is asked of the checker of the route.
func (g *Guard[T]) With(k revocation.Checker) *Guard[T] {
	if k == nil {
		panic("chimw: With needs a Checker")
	}
	derived := *g
	derived.checker = k
	return &derived
}

// With is [Guard.With] for Sessions.
func (s *Sessions[T]) With(k revocation.Checker) *Sessions[T] {
	derived := *s
	derived.Guard = s.Guard.With(k)
	return &derived
}

// again asks about a session that another Guard of the same root let pass, unless
// it was this one.
func (g *Guard[T]) again(ctx context.Context, st *state[T]) error {
	h := st.now()
	if h.err != nil || st.judging() == g {
		return h.err
	}
	err := g.checker.Check(ctx, h.Claims())
	if err == nil {
		st.judge.Store(g)
	} else if noSession(err) {
		now := st.credential()
		now.err = err
		st.become(now, nil)
	}
	return err
}

// judging returns the Guard of the route that ctx belongs to, or g.
func (g *Guard[T]) judging(ctx context.Context) *Guard[T] {
	if st := g.state(ctx); st != nil {
		return st.judging()
	}
	return g
}
