package token

import (
	"reflect"
	"time"
	"unsafe"
)

// A kept is what a cache keeps of a token.
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
	return k, k.size() + k.Text(), nil
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

// texts are the claims that are in the token, and so as long as it.
func (k *kept[T]) texts() [5]*string {
	return [...]*string{&k.SessionID, &k.Subject, &k.ID, &k.Overflow, &k.Raw}
}

// Text returns how many bytes the text of the claims has.
func (k *kept[T]) Text() (n int) {
	for _, t := range k.texts() {
		n += len(*t)
	}
	return n
}

// Pack moves the text of the claims into room, which has no more than that. It returns
// how many bytes the rest takes.
func (k *kept[T]) Pack(room []byte) (size int) {
	for _, t := range k.texts() {
		n := copy(room, *t)
		*t, room = unsafe.String(unsafe.SliceData(room), n), room[n:]
	}
	return k.size()
}

// share returns the session that was kept, or one in the room whose data is decoded for
// this call alone.
func (v *Verifier[T]) share(k *kept[T], room *Session[T], now time.Time) (*Session[T], error) {
	if err := v.config.judgeTimes(&k.Claims, now); err != nil {
		return nil, err
	}
	if !v.sharing.afresh || k.Overflow != "" {
		return &k.Session, nil
	}
	if room == nil {
		room = new(Session[T])
	}
	*room = k.Session
	room.data = v.content()
	return room, v.decode(room.Raw, &room.data.value)
}

// content returns the place for data that is to be decoded.
func (v *Verifier[T]) content() *content[T] { return &content[T]{cloner: v.cloner} }
