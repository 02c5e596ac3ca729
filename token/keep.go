package token

import (
	"reflect"
	"strings"
	"time"
	"unsafe"
)

// A kept is what a cache keeps of a token. All that a hit reads is near together.
type kept[T any] struct {
	Session[T]
	content[T]
	refers int // bytes that the data refers to
}

// toKeep returns the session that claims stand for, and how many bytes it takes.
func (v *Verifier[T]) toKeep(c Claims) (any, int, error) {
	k := &kept[T]{Session: Session[T]{Claims: c}, content: *v.content()}
	if err := v.judged(&c, &k.value); err != nil {
		return nil, 0, err
	}
	k.Binding = v.binding // the same, in text that is there once
	if v.sharing.afresh {
		k.value = *new(T)
	} else {
		k.data = &k.content
		k.refers = footprint(reflect.ValueOf(&k.value).Elem())
	}
	return k, k.size() + len(c.ID) + len(c.SessionID) + len(c.Subject) + len(c.Raw) + len(c.Overflow), nil
}

// size leaves an eighth for what the allocator rounds up to, or a page, to which it
// rounds what is larger than 32 KiB.
func (k *kept[T]) size() int {
	n := int(unsafe.Sizeof(*k)) + k.refers
	if n > 32<<10 {
		return n + 8<<10
	}
	return n + n/8
}

// Pack moves the text of the claims into one place, and tok with it. It returns that
// tok, and how many bytes all of it takes.
func (k *kept[T]) Pack(tok string) (packed string, size int) {
	parts := [...]*string{&k.SessionID, &k.Subject, &k.ID, &tok, &k.Overflow, &k.Raw}
	n := 0
	for _, p := range parts {
		n += len(*p)
	}
	var b strings.Builder
	b.Grow(n)
	for _, p := range parts {
		b.WriteString(*p)
	}
	text := b.String()
	for _, p := range parts {
		*p, text = text[:len(*p)], text[len(*p):]
	}
	return tok, k.size() + b.Cap()
}

// share fills s with a session that was kept, so that a caller can change nothing that
// they have in common.
func (v *Verifier[T]) share(k *kept[T], s *Session[T]) (err error) {
	if err := v.config.judgeTimes(&k.Claims, time.Now()); err != nil {
		return err
	}
	*s = k.Session
	if v.sharing.afresh && s.Overflow == "" {
		s.data = v.content()
		err = v.decode(s.Raw, &s.data.value)
	}
	return err
}

// content returns the place for data that is to be decoded.
func (v *Verifier[T]) content() *content[T] { return &content[T]{cloner: v.cloner} }
