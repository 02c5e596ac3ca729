package token

// A Session is a token that was believed: its claims, and the session data.
// Only an [Issuer] and a [Verifier] make one that means anything.
type Session[T any] struct {
	Claims
	data *content[T] // shared by all that were made of one token; nil is the zero T
}

// A content is session data, and what copies it.
type content[T any] struct {
	value      T
	*cloner[T] // nil if assigning it is enough
}

// Data returns the session data. What the caller does with it shows nowhere else,
// not in another request of the same session and not in the next call, which returns
// a copy as well. A type without slices, maps and pointers is copied for nothing; else
// a copy costs an allocation for each slice and pointer, and a few for each map.
//
// The exception are types that can't be copied, because a field that is not exported
// refers to something, a value has the type any, or a method decodes what may refer to
// itself. Their data is decoded for each Verify, and all calls for that Session and for
// copies of it share it.
func (s *Session[T]) Data() T {
	switch {
	case s.data == nil:
		var zero T
		return zero
	case s.data.cloner == nil:
		return s.data.value
	}
	return s.data.clone(&s.data.value)
}

// SetData makes data that of the session, for [Issuer.Renew] and [Issuer.Elevate]
// to write. It changes this Session alone, and no token. What data refers to is not
// copied: don't change it afterwards.
func (s *Session[T]) SetData(data T) {
	next := &content[T]{value: data}
	if s.data != nil {
		next.cloner = s.data.cloner
	}
	s.data = next
}
