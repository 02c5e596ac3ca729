package token

// A View is a session that nobody can change through it, so that all requests of a
// session can share one. It is safe for concurrent use. The zero View is of no session,
// with zero claims.
//
// The exception is data that can't be copied: see [Session.Data]. All sessions that a
// View returns share it, so don't change it. Another View of the token has its own.
type View[T any] struct{ session *Session[T] }

// View is [Verifier.Verify] for who does not change the session, or hands out copies: of
// what the cache of a ring has it makes none. Its errors are those of Verify.
func (v *Verifier[T]) View(tok string) (View[T], error) {
	s, err := v.find(tok, nil)
	if err != nil {
		return View[T]{}, err
	}
	return View[T]{s}, nil
}

// View returns a View of what s is now: later changes of s, by [Session.SetData] too,
// don't show in it.
func (s *Session[T]) View() View[T] {
	c := *s
	return View[T]{&c}
}

// Session returns a copy, which is the caller's to change, and so is the data unless it
// can't be copied.
func (v View[T]) Session() (s Session[T]) {
	if v.session != nil {
		s = *v.session
	}
	return s
}

// Claims returns a copy of the claims.
func (v View[T]) Claims() (c Claims) {
	if v.session != nil {
		c = v.session.Claims
	}
	return c
}
