package markset

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/carnet-go/carnet/token"
)

// An Axis says which claim a mark is compared with. The numbers are part of files
// and of what lies in Redis.
type Axis uint8

const (
	Session Axis = iota
	Subject
	Audience
	Key
	Everyone
	axisCount
)

var axisNames = [axisCount]string{"session", "subject", "audience", "key", "everyone"}

// AxisOf returns the axis of that name, as in revocation.Axis.
func AxisOf(name string) (Axis, bool) {
	for a, n := range axisNames {
		if n == name {
			return Axis(a), true
		}
	}
	return 0, false
}

// String returns the name.
func (a Axis) String() string {
	if a >= axisCount {
		return "unknown"
	}
	return axisNames[a]
}

// Whole reports whether a mark covers its value whatever the time.
func (a Axis) Whole() bool { return a == Session || a == Key }

// Of returns the claim that marks of the axis name.
func (a Axis) Of(c *token.Claims) string {
	switch a {
	case Session:
		return c.SessionID
	case Subject:
		return c.Subject
	case Audience:
		return c.Audience
	case Key:
		return c.KeyID
	}
	return ""
}

// An ID stands for an axis and a value.
type ID [12]byte

// IDOf returns the id of a value. It is the same on every machine and for ever,
// and needs no secret that could be lost with a store.
//
// It is the start of a SHA-256, except for the session ids that package token
// mints: 128 random bits in 22 characters. Those are random already, and nobody
// chooses them, so a fast bijection will do; it is there for ids that are not as
// random. Who chooses values, such as the name of an account, needs 2^48 hashes
// for two that are one, and 2^96 for one that is somebody else's.
func IDOf(a Axis, value string) ID {
	if a == Session {
		if id, ok := random(value); ok {
			return id
		}
	}
	return hashed(a, value)
}

// hashed copies the value to the stack, so that nothing is allocated.
func hashed(a Axis, value string) (id ID) {
	var buf [7 + 256]byte
	head := append(buf[:0], "carnet"...)
	sum := sha256.Sum256(append(append(head, byte(a)), value...))
	copy(id[:], sum[:])
	return id
}

const idText = 22 // characters of 128 bits in base64url

// digits has the value of each character of base64url, and 0xff for the others.
var digits = func() (d [256]byte) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range d {
		d[i] = 0xff
	}
	for i := range alphabet {
		d[alphabet[i]] = byte(i)
	}
	return d
}()

// random returns the id of a session id that package token can have minted.
func random(value string) (ID, bool) {
	if len(value) != idText {
		return ID{}, false
	}
	var a, b uint64
	var bad byte
	for i := range 10 {
		d := digits[value[i]]
		bad |= d
		a = a<<6 | uint64(d)
	}
	for i := 11; i < idText; i++ {
		d := digits[value[i]]
		bad |= d
		b = b<<6 | uint64(d)
	}
	middle, next := digits[value[10]], digits[value[11]]
	if bad|middle > 63 || b&15 != 0 {
		return ID{}, false
	}
	// The ten characters before the middle are 60 bits. Of the eleven after it
	// the first two bits were pushed out, and the last four are padding.
	a = a<<4 | uint64(middle>>2)
	b = b>>4 | uint64(next>>4)<<60 | uint64(middle&3)<<62
	return scrambled(a, b), true
}

// scrambled is four rounds of a Feistel network: no two inputs have one output.
func scrambled(a, b uint64) (id ID) {
	a ^= mixed(b ^ 0x9e3779b97f4a7c15)
	b ^= mixed(a ^ 0xc2b2ae3d27d4eb4f)
	a ^= mixed(b ^ 0x165667b19e3779f9)
	b ^= mixed(a ^ 0x27d4eb2f165667c5)
	binary.BigEndian.PutUint64(id[:8], a)
	binary.BigEndian.PutUint32(id[8:], uint32(b))
	return id
}

// mixed is the last step of MurmurHash3.
func mixed(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// A memo remembers ids of values that come with every request, such as an
// audience. It takes what comes first and keeps it: nothing that comes later can
// make it allocate.
type memo struct {
	seed  maphash.Seed
	known [256]atomic.Pointer[remembered]
}

type remembered struct {
	axis  Axis
	value string
	id    ID
}

func (m *memo) id(a Axis, value string) ID {
	at := &m.known[(maphash.String(m.seed, value)+uint64(a))&255]
	r := at.Load()
	if r == nil {
		r = &remembered{a, strings.Clone(value), hashed(a, value)}
		at.CompareAndSwap(nil, r)
		return r.id
	}
	if r.axis == a && r.value == value {
		return r.id
	}
	return hashed(a, value)
}
