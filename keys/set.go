package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/carnet-go/carnet/keys/audit"
	"github.com/carnet-go/carnet/token"
)

// Errors about a token's key. They are members of the family of
// [token.ErrInvalid].
var (
	// ErrUnknownKey is a token that names a key the ring does not have: one that
	// was pruned, one of another ring, or an invented one.
	ErrUnknownKey = fmt.Errorf("%w: unknown key", token.ErrInvalid)

	// ErrRevokedKey is a token whose key was revoked.
	ErrRevokedKey = fmt.Errorf("%w: revoked key", token.ErrInvalid)
)

// Errors about an edit of a set.
var (
	// ErrTooSoon refuses a rotation while some node may not have the
	// pre-published key yet.
	ErrTooSoon = errors.New("too soon")

	// ErrInUse refuses to prune a key while a token that it sealed may be alive.
	ErrInUse = errors.New("still in use")
)

// Policy holds the two times that edits of a set go by.
type Policy struct {
	// Spread is how long it takes at most until every node has a changed ring.
	// Zero means ten minutes, which is ample for a file that a deployment or
	// Kubernetes copies.
	Spread time.Duration

	// TokenLife is the longest life of a token, from issue to expiry. A ring
	// refuses to mint longer ones, and keeps a retired key this long. Zero means
	// 31 days.
	TokenLife time.Duration
}

func (p Policy) withDefaults() Policy {
	if p.Spread == 0 {
		p.Spread = 10 * time.Minute
	}
	if p.TokenLife == 0 {
		p.TokenLife = 31 * 24 * time.Hour
	}
	return p
}

// maxPolicy is ten years in seconds: past it a number is a slip of the unit.
const maxPolicy = 10 * 365 * 24 * 3600

func (p Policy) check() error {
	for _, d := range []time.Duration{p.Spread, p.TokenLife} {
		if d < 0 || d%time.Second != 0 || d > maxPolicy*time.Second {
			return fmt.Errorf("a ring's spread and token life must be whole seconds up to ten years, not %v", d)
		}
	}
	return nil
}

// A Set is what a ring file says: keys and their states, at one generation. It
// is immutable; each edit returns a new one. A Set holds secrets and prints
// without them.
type Set struct {
	name       string // random; tells one ring's file from another's
	generation uint64
	policy     Policy
	keys       []key         // oldest first
	record     []audit.Entry // oldest first
}

// NewSet generates a set with an active and a pre-published key.
func NewSet(f Format, p Policy) (*Set, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	now := currentSecond()
	first, err := generate(f, 1, now)
	if err != nil {
		return nil, err
	}
	first.State, first.ActivatedAt = active, now
	next, err := generate(f, 1, now)
	if err != nil {
		return nil, err
	}
	s := &Set{name: rand.Text(), generation: 1, policy: p.withDefaults(), keys: []key{first, next}}
	s.note("init", now, first.ID, next.ID)
	return s, nil
}

// Generation counts the edits. It never repeats in the life of a ring.
func (s *Set) Generation() uint64 { return s.generation }

// Policy returns the times that edits go by, with the defaults filled in.
func (s *Set) Policy() Policy { return s.policy }

// Keys describes the keys, oldest first.
func (s *Set) Keys() []Key {
	ks := make([]Key, len(s.keys))
	for i, k := range s.keys {
		ks[i] = k.Key
	}
	return ks
}

// Format prints how large the set is, whatever the verb.
func (s *Set) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "keys.Set(generation %d, %d keys)", s.generation, len(s.keys))
}

// in returns the key in that state, of which there is one.
func (s *Set) in(state string) *key {
	for i := range s.keys {
		if s.keys[i].State == state {
			return &s.keys[i]
		}
	}
	return nil
}

// editTime is now, or the newest date in the set for a machine whose clock is
// behind: no key must seem to have retired before it minted, and be pruned for it.
func (s *Set) editTime() time.Time {
	now := currentSecond()
	for _, k := range s.keys {
		for _, t := range [...]time.Time{k.CreatedAt, k.ActivatedAt, k.RetiredAt, k.RevokedAt} {
			if t.After(now) {
				now = t
			}
		}
	}
	return now
}

func currentSecond() time.Time { return time.Now().UTC().Truncate(time.Second) }
