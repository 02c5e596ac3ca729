package keys

import (
	"fmt"
	"slices"
	"time"
)

// maxLeeway is the most that a verifier may forgive a clock, see
// token.Config.Leeway.
const maxLeeway = 5 * time.Minute

// Rotate makes the pre-published key active, retires the active one, and
// pre-publishes a fresh key of format next; empty means the format of the key
// that becomes active.
//
// It returns [ErrTooSoon] while the pre-published key is younger than the
// policy's Spread. With force it does not: a node that lacks the key will refuse
// the new tokens until it has it.
func (s *Set) Rotate(next Format, force bool) (*Set, error) {
	if k := s.in(prePublished); k.Signer != "" {
		return nil, fmt.Errorf("rotate: key %s, which comes next, signs by %q outside of the ring: only a program can rotate it, which says what signer follows, with Set.RotateTo", k.ID, k.Signer)
	}
	return s.rotate(next, force)
}

func (s *Set) rotate(next Format, force bool) (*Set, error) {
	now := s.editTime()
	if ready := s.RotatableAt(); now.Before(ready) && !force {
		return nil, fmt.Errorf("%w: key %s was pre-published at %s, and nodes may not have it before %s",
			ErrTooSoon, s.in(prePublished).ID, s.in(prePublished).CreatedAt.Format(time.RFC3339), ready.Format(time.RFC3339))
	}
	e := s.edit()
	old := e.in(active)
	old.State, old.RetiredAt = retired, now
	return e.promote("rotate", next, now, old.ID)
}

// RotatableAt is when [Set.Rotate] needs no force any more.
func (s *Set) RotatableAt() time.Time {
	return s.in(prePublished).CreatedAt.Add(s.policy.Spread)
}

// Revoke takes the key back: every token that it sealed is refused as soon as a
// node has the new set, and its sessions have to log in again. The id stays and
// the secrets are erased. If the key was active the pre-published one takes over,
// at once and without a waiting time, because every node has it already; unless
// [Set.RotatableAt] is yet to come: then a node that lacks it refuses its tokens
// until it has the new set.
func (s *Set) Revoke(id string) (*Set, error) {
	e, now := s.edit(), s.editTime()
	k, err := e.find(id)
	if err != nil {
		return nil, err
	}
	was := k.State
	if was == revoked {
		return nil, fmt.Errorf("key %s is revoked already", id)
	}
	k.State, k.RevokedAt, k.secrets = revoked, now, nil
	switch was {
	case active:
		return e.promote("revoke", "", now, id)
	case prePublished:
		return e.publish("revoke", k.Format, now, id)
	}
	e.note("revoke", now, id)
	return e, nil
}

// Prune removes the retired and revoked keys with no token left alive: all that
// are due or, with ids, just these. If there are none it returns s itself. An id that is not due gives [ErrInUse]
// without force; with force its sessions have to log in again.
func (s *Set) Prune(force bool, ids ...string) (*Set, error) {
	now, e := currentSecond(), s.edit()
	for _, id := range ids {
		k, err := e.find(id)
		if err != nil {
			return nil, err
		}
		due := s.PrunableAt(k.Key)
		if due.IsZero() {
			return nil, fmt.Errorf("%w: key %s is %s: rotate or revoke it first", ErrInUse, id, k.State)
		}
		if now.Before(due) && !force {
			return nil, fmt.Errorf("%w: tokens of key %s may live until %s", ErrInUse, id, due.Format(time.RFC3339))
		}
	}
	var gone []string
	e.keys = slices.DeleteFunc(e.keys, func(k key) bool {
		due := s.PrunableAt(k.Key)
		if !slices.Contains(ids, k.ID) && (len(ids) > 0 || due.IsZero() || now.Before(due)) {
			return false
		}
		gone = append(gone, k.ID)
		return true
	})
	if len(gone) == 0 {
		return s, nil
	}
	e.note("prune", now, gone...)
	return e, nil
}

// PrunableAt is when the last token that k can have sealed is dead, whatever the
// verifier's leeway. It is zero for a key that is not retired or revoked.
func (s *Set) PrunableAt(k Key) time.Time {
	end := k.RetiredAt
	if k.RevokedAt.After(end) {
		end = k.RevokedAt
	}
	if end.IsZero() {
		return time.Time{}
	}
	// A node that has not noticed the retirement yet goes on minting with it.
	return end.Add(s.policy.Spread + s.policy.TokenLife + maxLeeway)
}

// edit returns a copy of the next generation, to be changed by its maker.
func (s *Set) edit() *Set {
	return &Set{s.name, s.generation + 1, s.policy, slices.Clone(s.keys), slices.Clone(s.record)}
}

// promote makes the pre-published key active and publishes the next.
func (s *Set) promote(action string, next Format, now time.Time, changed ...string) (*Set, error) {
	k := s.in(prePublished)
	k.State, k.ActivatedAt = active, now
	if next == "" {
		next = k.Format
	}
	return s.publish(action, next, now, append(changed, k.ID)...)
}

func (s *Set) publish(action string, f Format, now time.Time, changed ...string) (*Set, error) {
	k, err := generate(f, s.generation, now)
	if err != nil {
		return nil, err
	}
	s.keys = append(s.keys, k)
	s.note(action, now, append(changed, k.ID)...)
	return s, nil
}

func (s *Set) find(id string) (*key, error) {
	for i := range s.keys {
		if s.keys[i].ID == id {
			return &s.keys[i], nil
		}
	}
	return nil, fmt.Errorf("no such key: %.60q", id)
}
