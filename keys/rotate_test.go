package keys_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/audit"
	"github.com/carnet-go/carnet/keys/keystest"
	"github.com/carnet-go/carnet/token"
)

var session = token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"}

func claims() token.Claims {
	now := time.Now().UTC().Truncate(time.Second)
	return token.Claims{
		Binding: session, ID: "iiiiiiiiiiiiiiiiiiiiii", SessionID: "ssssssssssssssssssssss", Subject: "alice",
		StartedAt: now, IssuedAt: now, ExpiresAt: now.Add(30 * time.Minute), EndsAt: now.Add(12 * time.Hour),
		Raw: `{"Name":"Alice"}`,
	}
}

func newSet(t testing.TB, f keys.Format) *keys.Set {
	t.Helper()
	s, err := keys.NewSet(f, keys.Policy{Spread: 10 * time.Minute, TokenLife: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ringOf(t testing.TB, s *keys.Set) *keys.Ring {
	t.Helper()
	r, err := s.Ring()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func seal(t testing.TB, s token.Sealer) string {
	t.Helper()
	tok, err := s.Seal(claims())
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// in returns the one key in that state.
func in(t testing.TB, s *keys.Set, state string) (found keys.Key) {
	t.Helper()
	for _, k := range s.Keys() {
		if k.State == state {
			if found.ID != "" {
				t.Fatalf("two keys are %s", state)
			}
			found = k
		}
	}
	return found
}

func must(t testing.TB) func(*keys.Set, error) *keys.Set {
	return func(s *keys.Set, err error) *keys.Set {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestNewSet(t *testing.T) {
	s := newSet(t, keys.JWT)
	active, next := in(t, s, "active"), in(t, s, "pre-published")
	if len(s.Keys()) != 2 || active.ID == next.ID || active.ID == "" || s.Generation() != 1 {
		t.Errorf("a new set has %v", s.Keys())
	}
}

func TestRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newSet(t, keys.JWT)
		time.Sleep(10*time.Minute - 1)
		if _, err := before.Rotate("", false); !errors.Is(err, keys.ErrTooSoon) {
			t.Fatalf("a nanosecond early: %v", err)
		}
		time.Sleep(time.Nanosecond)
		after := must(t)(before.Rotate("", false))
		if in(t, after, "active").ID != in(t, before, "pre-published").ID {
			t.Error("the pre-published key is not active")
		}
		if in(t, after, "retired").ID != in(t, before, "active").ID {
			t.Error("the active key is not retired")
		}
		if after.Generation() != before.Generation()+1 {
			t.Error("the generation did not move")
		}
		if _, err := after.Rotate("", false); !errors.Is(err, keys.ErrTooSoon) {
			t.Errorf("twice in a row: %v", err)
		}
		must(t)(after.Rotate("", true))
	})
}

// What a rotation is for: a node that has not noticed it yet opens what the
// others mint.
func TestNodesOneRotationBehindKeepUp(t *testing.T) {
	formattest.Each(t, func(t *testing.T, next keys.Format) {
		s := newSet(t, keys.JWT)
		var live []string
		for range 10 {
			behind := ringOf(t, s)
			s = must(t)(s.Rotate(next, true))
			ahead := ringOf(t, s)
			live = append(live, seal(t, ahead), seal(t, behind))
			for i, tok := range live[max(0, len(live)-2):] {
				if _, err := behind.Open(tok, session); err != nil {
					t.Errorf("token %d on the node behind: %v", i, err)
				}
			}
			for i, tok := range live {
				if _, err := ahead.Open(tok, session); err != nil {
					t.Errorf("token %d on the node ahead: %v", i, err)
				}
			}
		}
	})
}

func TestRevoke(t *testing.T) {
	for _, state := range []string{"active", "pre-published", "retired"} {
		t.Run(state, func(t *testing.T) {
			old := must(t)(newSet(t, keys.JWT).Rotate("", true))
			k := in(t, old, state)
			tok := seal(t, ringOf(t, old))
			s := must(t)(old.Revoke(k.ID))
			if revoked := in(t, s, "revoked"); revoked.ID != k.ID || revoked.RevokedAt.IsZero() {
				t.Errorf("revoked is %v", revoked)
			}
			if in(t, s, "active").ID == "" || in(t, s, "pre-published").ID == "" {
				t.Error("no active or no pre-published key")
			}
			_, err := ringOf(t, s).Open(tok, session)
			if state == "active" && !errors.Is(err, keys.ErrRevokedKey) || state != "active" && err != nil {
				t.Errorf("a token of the active key: %v", err)
			}
			if _, err := s.Revoke(k.ID); err == nil {
				t.Error("revoked twice")
			}
		})
	}
	t.Run("unknown", func(t *testing.T) {
		if _, err := newSet(t, keys.JWT).Revoke("nothing"); err == nil || !strings.Contains(err.Error(), "no such key") {
			t.Error(err)
		}
	})
}

// A revoked key's successor needs no waiting time: a node that only has the set
// from before opens what it mints.
func TestRevokingTheActiveKeyIsSafeAtOnce(t *testing.T) {
	before := newSet(t, keys.JWT)
	after := must(t)(before.Revoke(in(t, before, "active").ID))
	if _, err := ringOf(t, before).Open(seal(t, ringOf(t, after)), session); err != nil {
		t.Error(err)
	}
}

func TestPrune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := must(t)(newSet(t, keys.JWT).Rotate("", true))
		k := in(t, s, "retired")
		due := s.PrunableAt(k)
		if life := due.Sub(k.RetiredAt); life < 24*time.Hour+10*time.Minute {
			t.Errorf("prunable %v after it retired", life)
		}
		time.Sleep(time.Until(due) - 1)
		if _, err := s.Prune(false, k.ID); !errors.Is(err, keys.ErrInUse) {
			t.Errorf("a nanosecond early: %v", err)
		}
		if early := must(t)(s.Prune(false)); len(early.Keys()) != 3 {
			t.Error("pruned a nanosecond early")
		}
		if forced := must(t)(s.Prune(true, k.ID)); len(forced.Keys()) != 2 {
			t.Error("force did not prune")
		}
		time.Sleep(time.Nanosecond)
		if pruned := must(t)(s.Prune(false)); len(pruned.Keys()) != 2 || in(t, pruned, "retired").ID != "" {
			t.Error("not pruned when due")
		}
		for _, state := range []string{"active", "pre-published"} {
			if _, err := s.Prune(true, in(t, s, state).ID); !errors.Is(err, keys.ErrInUse) {
				t.Errorf("pruning the %s key: %v", state, err)
			}
		}
	})
}

// A machine whose clock is behind rotates what one with a good clock rotated.
func TestAClockThatIsBehindPrunesNothing(t *testing.T) {
	var fresh *keys.Set
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(365 * 24 * time.Hour)
		fresh = newSet(t, keys.JWT)
	})
	synctest.Test(t, func(t *testing.T) {
		s := must(t)(fresh.Rotate("", true))
		k := in(t, s, "retired")
		if k.RetiredAt.Before(k.ActivatedAt) {
			t.Errorf("retired at %v, but minted from %v", k.RetiredAt, k.ActivatedAt)
		}
		revoked := must(t)(s.Revoke(in(t, s, "active").ID))
		for _, k := range revoked.Keys() {
			if k.State == "revoked" && k.RevokedAt.Before(k.ActivatedAt) {
				t.Errorf("revoked at %v, but minted from %v", k.RevokedAt, k.ActivatedAt)
			}
		}
	})
}

// Whatever the order of edits: one active key, one pre-published, generations
// that count up, and no live token without its key unless that was revoked.
func TestAnyOrderOfEdits(t *testing.T) {
	seeds := uint64(10)
	if *year {
		seeds = 100
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			s, revoked := newSet(t, keys.JWT), map[string]bool{}
			var minted []mint
			for range 60 {
				time.Sleep(time.Duration(rng.Int64N(int64(12 * time.Hour))))
				next := editAtRandom(t, rng, s, revoked)
				if next != s && next.Generation() != s.Generation()+1 {
					t.Fatal("a generation was skipped")
				}
				next = throughAStore(t, next)
				if err := audit.Check(next.Record(), next.Generation()); err != nil {
					t.Fatal(err)
				}
				s = next
				ring, c := ringOf(t, s), claims()
				c.ExpiresAt = c.IssuedAt.Add(24 * time.Hour)
				tok, err := ring.Seal(c)
				if err != nil {
					t.Fatal(err)
				}
				minted = append(minted, mint{tok, in(t, s, "active").ID, c.ExpiresAt.Add(5 * time.Minute)})
				checkMinted(t, ring, minted, revoked)
			}
		})
	}
}

// throughAStore returns what another process would have of a set.
func throughAStore(t *testing.T, s *keys.Set) *keys.Set {
	t.Helper()
	src := keys.Source{Store: keystest.NewStore(), Plain: true}
	if err := src.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return must(t)(src.Load(t.Context()))
}

// A mint is a token that lives until it dies.
type mint struct {
	tok, kid string
	dies     time.Time
}

func checkMinted(t *testing.T, ring *keys.Ring, minted []mint, revoked map[string]bool) {
	t.Helper()
	for _, m := range minted {
		_, err := ring.Open(m.tok, session)
		switch {
		case revoked[m.kid] && err == nil:
			t.Fatal("a revoked key opens")
		case time.Now().Before(m.dies) && revoked[m.kid] && !errors.Is(err, keys.ErrRevokedKey):
			t.Fatalf("a live token of a revoked key: %v", err)
		case time.Now().Before(m.dies) && !revoked[m.kid] && err != nil:
			t.Fatalf("a live token: %v", err)
		}
	}
}

func editAtRandom(t *testing.T, rng *rand.Rand, s *keys.Set, revoked map[string]bool) *keys.Set {
	t.Helper()
	switch k := s.Keys()[rng.IntN(len(s.Keys()))]; rng.IntN(4) {
	case 0:
		return must(t)(s.Prune(false))
	case 1:
		if k.State != "revoked" {
			revoked[k.ID] = true
			return must(t)(s.Revoke(k.ID))
		}
	}
	formats := formattest.Usable()
	return must(t)(s.Rotate(formats[rng.IntN(len(formats))], true))
}
