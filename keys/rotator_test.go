package keys_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/audit"
	"github.com/carnet-go/carnet/keys/keystest"
	"github.com/carnet-go/carnet/keys/keystore"
)

var year = flag.Bool("year", false, "rotate for a whole year of a fake clock, not for a fortnight or two months, and in every order")

const day = 24 * time.Hour

// A life is what a key lived through, in order.
type life struct{ states []string }

// Three processes rotate one ring by policy, each day, and no one else touches it.
// Each key lives through its states in order, the ring stays bounded, and no token
// loses its key while it lives.
func TestRotationByPolicy(t *testing.T) {
	days, lifetime := 15, 7
	if *year {
		days, lifetime = 365, 31
	}
	synctest.Test(t, func(t *testing.T) {
		src := keys.Source{Store: keystest.NewStore(), Plain: true}
		set, err := keys.NewSet(keys.JWT, keys.Policy{TokenLife: time.Duration(lifetime) * day})
		if err == nil {
			err = src.Create(t.Context(), set)
		}
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var rotations atomic.Int64
		ended := make(chan error)
		var rings []*keys.Ring
		for range 3 {
			ring, err := src.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rings = append(rings, ring)
			go func() {
				ended <- keys.Rotator{Ring: ring, Report: func(generation uint64, err error) {
					if err != nil {
						t.Error(err)
					}
					rotations.Add(1)
				}}.Run(ctx)
			}()
		}
		lives, largest := map[string]*life{}, 0
		var alive []mint
		for hour := range days * 24 {
			time.Sleep(time.Hour)
			set := rings[0].Set()
			largest = max(largest, len(set.Keys()))
			for _, k := range set.Keys() {
				live(lives, k)
			}
			if in(t, set, "active").ID == "" || in(t, set, "pre-published").ID == "" {
				t.Fatal("no active or no pre-published key")
			}
			minter := rings[hour%len(rings)]
			c := claims()
			c.ExpiresAt = c.IssuedAt.Add(time.Duration(lifetime) * day)
			tok, err := minter.Seal(c)
			if err != nil {
				t.Fatal(err)
			}
			alive = append(alive, mint{tok, "", c.ExpiresAt.Add(5 * time.Minute)})
			for len(alive) > 0 && !time.Now().Before(alive[0].dies) {
				alive = alive[1:]
			}
			for i, ring := range rings { // the oldest, the newest and one of the others
				for _, at := range []int{0, len(alive) - 1, (hour * 7919) % len(alive)} {
					if _, err := ring.Open(alive[at].tok, session); err != nil {
						t.Fatalf("hour %d: ring %d refuses a live token: %v", hour, i, err)
					}
				}
			}
		}
		cancel()
		for range rings {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		for _, ring := range rings {
			ring.Close()
		}
		last := rings[0].Set()
		if err := audit.Check(last.Record(), last.Generation()); err != nil {
			t.Error(err)
		}
		checkLives(t, lives, last)
		rotated := len(lives) - 2
		if rotated < days-1 || rotated > days {
			t.Errorf("%d rotations in %d days", rotated, days)
		}
		if edits := int64(last.Generation() - 1); edits != rotations.Load() {
			t.Errorf("%d edits, of which %d were told", edits, rotations.Load())
		}
		if largest > lifetime+5 {
			t.Errorf("the ring had %d keys", largest)
		}
		t.Logf("%d days: %d rotations, at most %d keys, generation %d", days, rotated, largest, last.Generation())
	})
}

func live(lives map[string]*life, k keys.Key) {
	l := lives[k.ID]
	if l == nil {
		l = new(life)
		lives[k.ID] = l
	}
	if n := len(l.states); n == 0 || l.states[n-1] != k.State {
		l.states = append(l.states, k.State)
	}
}

// checkLives wants each key to have been pre-published, active, retired and gone,
// up to where it is now.
func checkLives(t *testing.T, lives map[string]*life, last *keys.Set) {
	t.Helper()
	now := map[string]string{}
	for _, k := range last.Keys() {
		now[k.ID] = k.State
	}
	firstActive := last.Record()[0].Keys[0]
	for id, l := range lives {
		want := "[pre-published active retired]"
		switch state, there := now[id]; {
		case id == firstActive:
			want = "[active retired]"
		case there && state == "pre-published":
			want = "[pre-published]"
		case there && state == "active":
			want = "[pre-published active]"
		}
		if got := fmt.Sprint(l.states); got != want {
			t.Errorf("key %s lived through %s, want %s", id, got, want)
		}
	}
}

// A counter is a shared store that says how often its key was used.
type counter struct {
	keystore.Store
	key    string
	sealed atomic.Uint64
	nodes  atomic.Pointer[[]keystore.Node]
	behind atomic.Int64 // how far its clock is behind that of the machine
}

func (c *counter) Report(_ context.Context, r keystore.Report) error {
	if r.Key == c.key {
		c.sealed.Add(r.Sealed)
	}
	return nil
}

func (c *counter) Now(context.Context) (time.Time, error) {
	return time.Now().Add(-time.Duration(c.behind.Load())), nil
}

func (c *counter) Nodes(context.Context) ([]keystore.Node, error) { return *c.nodes.Load(), nil }

func (c *counter) Sealed(_ context.Context, kid string) (uint64, error) {
	if kid != c.key {
		return 0, nil
	}
	return c.sealed.Load(), nil
}

// A key of AES-GCM is replaced long before its bound, when the fleet has used it
// up; not while a node would lack the next one.
func TestAKeyThatIsUsedUpIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet(t, keys.JWT)
		store := &counter{Store: keystest.NewStore(), key: in(t, set, "active").ID}
		store.nodes.Store(new([]keystore.Node))
		src := keys.Source{Store: store, Plain: true}
		if err := src.Create(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		ring, err := src.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		told := make(chan error, 1000)
		rotator := keys.Rotator{Ring: ring, Every: 30 * day, Report: func(_ uint64, err error) { told <- err }}
		go func() { ended <- rotator.Run(ctx) }()
		for range 1000 {
			seal(t, ring)
		}
		time.Sleep(time.Hour)
		if n := store.sealed.Load(); n != 1000 {
			t.Errorf("%d tokens were reported of 1000", n)
		}
		store.sealed.Store(1<<31 - 1)
		time.Sleep(time.Hour)
		if ring.Generation() != 1 {
			t.Error("rotated without a reason")
		}
		store.nodes.Store(&[]keystore.Node{{Name: "web-1"}})
		s := must(t)(src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Revoke(in(t, s, "pre-published").ID) }))
		store.sealed.Store(1 << 31)
		time.Sleep(time.Hour)
		if ring.Generation() != s.Generation() {
			t.Error("rotated while a node lags")
		}
		if err := <-told; !errors.Is(err, keys.ErrTooSoon) || !strings.Contains(err.Error(), "web-1") {
			t.Errorf("of the node that lags was told: %v", err)
		}
		store.nodes.Store(new([]keystore.Node))
		time.Sleep(time.Hour)
		if ring.Generation() != s.Generation()+1 {
			t.Error("a key that is used up was kept")
		}
		cancel()
		<-ended
		ring.Close()
	})
}

// A clock that is months ahead ends no key before its time.
func TestAClockThatIsAheadPrunesNothing(t *testing.T) {
	ahead := 60 * day
	if *year {
		ahead = 365 * day
	}
	synctest.Test(t, func(t *testing.T) {
		store := &counter{Store: keystest.NewStore()}
		store.nodes.Store(new([]keystore.Node))
		src := keys.Source{Store: store, Plain: true}
		if err := src.Create(t.Context(), newSet(t, keys.JWT)); err != nil {
			t.Fatal(err)
		}
		must(t)(src.Edit(t.Context(), rotate))
		ring, err := src.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer ring.Close()
		tok := seal(t, ring)
		store.behind.Store(int64(ahead))
		time.Sleep(ahead)
		ctx, cancel := context.WithTimeout(t.Context(), day)
		defer cancel()
		var told atomic.Int64
		err = keys.Rotator{Ring: ring, Report: func(_ uint64, err error) {
			if !errors.Is(err, keys.ErrTooSoon) || !strings.Contains(err.Error(), fmt.Sprintf("%.0fh0m", ahead.Hours())) {
				t.Errorf("told of %v", err)
			}
			told.Add(1)
		}}.Run(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || told.Load() == 0 || ring.Generation() != 2 {
			t.Errorf("the ring is at generation %d, %d reports: %v", ring.Generation(), told.Load(), err)
		}
		if _, err := ring.Open(tok, session); err != nil {
			t.Error(err)
		}
		if _, err := src.Rotate(t.Context(), "", false); !errors.Is(err, keys.ErrTooSoon) {
			t.Errorf("rotate: %v", err)
		}
	})
}

func TestARotatorThatCannotWorkSaysSo(t *testing.T) {
	src := sealedFile(t)
	ring, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	for what, r := range map[string]keys.Rotator{
		"no ring":          {},
		"a ring in memory": {Ring: ringOf(t, newSet(t, keys.JWT))},
		"too often":        {Ring: ring, Every: time.Minute},
	} {
		if err := r.Run(t.Context()); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
