package keys_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystest"
	"github.com/carnet-go/carnet/keys/keystore"
	"github.com/carnet-go/carnet/token"
)

// A place is a store in memory that can be cut off, or blocked, or lie.
type place struct {
	keystore.Store
	loads atomic.Int64

	mu    sync.Mutex
	away  error
	lie   []byte
	block chan struct{}
}

func newPlace() *place { return &place{Store: keystest.NewStore()} }

func (p *place) set(away error, lie []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away, p.lie = away, lie
}

func (p *place) Load(ctx context.Context) ([]byte, error) {
	p.loads.Add(1)
	p.mu.Lock()
	away, lie, block := p.away, p.lie, p.block
	p.mu.Unlock()
	if block != nil {
		<-block
	}
	if away != nil || lie != nil {
		return lie, away
	}
	return p.Store.Load(ctx)
}

// fleet is a ring in a place, with a node that mints and one that verifies.
type fleet struct {
	*testing.T
	place  *place
	src    keys.Source
	mint   *keys.Ring
	verify *keys.VerifyRing
	told   chan error
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{T: t, place: newPlace(), told: make(chan error, 100)}
	f.src = keys.Source{Store: f.place, Key: newKey(t), Report: func(err error) { f.told <- err }}
	if err := f.src.Create(t.Context(), newSet(t, keys.JWT)); err != nil {
		t.Fatal(err)
	}
	var err error
	if f.mint, err = f.src.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.verify, err = f.src.OpenVerifyOnly(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.mint.Close(); f.verify.Close() })
	synctest.Wait()
	return f
}

func (f *fleet) edit(change func(*keys.Set) (*keys.Set, error)) *keys.Set {
	f.Helper()
	return must(f.T)(f.src.Edit(f.Context(), change))
}

func TestRingsFollowTheirStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		for range 20 {
			set := f.edit(rotate)
			synctest.Wait()
			if f.mint.Generation() != set.Generation() || f.verify.Generation() != set.Generation() {
				t.Fatalf("at generation %d the nodes have %v and %v", set.Generation(), f.mint, f.verify)
			}
			if _, err := f.verify.Open(seal(t, f.mint), session); err != nil {
				t.Error(err)
			}
		}
		f.mint.Close()
		f.edit(rotate)
		time.Sleep(time.Hour)
		if f.mint.Generation() != 21 || f.verify.Generation() != 22 {
			t.Errorf("after one was closed: %v and %v", f.mint, f.verify)
		}
		seal(t, f.mint)
	})
}

func TestRingsGoOnWithoutTheirStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.edit(rotate)
		synctest.Wait()
		older := newFleet(t)
		first, err := older.place.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tok := seal(t, f.mint)
		for what, c := range map[string]struct {
			away error
			lie  []byte
			want string
		}{
			"away":         {errors.New("connection refused"), nil, "connection refused"},
			"damaged":      {nil, []byte("{"), "not the JSON"},
			"another ring": {nil, first, "sealed under another key"},
		} {
			f.place.set(c.away, c.lie)
			time.Sleep(10 * time.Minute)
			for _, node := range []interface {
				Age() time.Duration
				Problem() error
				Generation() uint64
			}{f.mint, f.verify} {
				if err := node.Problem(); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: the problem is %v", what, err)
				}
				if age := node.Age(); age < 8*time.Minute || age > 12*time.Minute {
					t.Errorf("%s: ten minutes later the age is %v", what, age)
				}
				if node.Generation() != 2 {
					t.Errorf("%s: generation %d", what, node.Generation())
				}
			}
			if len(f.told) != 2 {
				t.Errorf("%s: it was told %d times", what, len(f.told))
			}
			if _, err := f.verify.Open(tok, session); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			f.place.set(nil, nil)
			time.Sleep(2 * time.Minute)
			if f.mint.Problem() != nil || f.verify.Problem() != nil || f.mint.Age() > 2*time.Minute {
				t.Errorf("%s, and back: %v", what, f.mint.Problem())
			}
			for len(f.told) > 0 {
				<-f.told
			}
		}
	})
}

func TestCompromiseReachesEveryNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		tok := seal(t, f.mint)
		f.edit(func(s *keys.Set) (*keys.Set, error) { return s.Revoke(in(t, s, "active").ID) })
		synctest.Wait()
		for _, o := range []interface {
			Open(string, token.Binding) (token.Claims, error)
		}{f.mint, f.verify} {
			if _, err := o.Open(tok, session); !errors.Is(err, keys.ErrRevokedKey) {
				t.Errorf("%v: %v", o, err)
			}
		}
		if _, err := f.verify.Open(seal(t, f.mint), session); err != nil {
			t.Error(err)
		}
	})
}

// Whatever strangers send: one reload a second, and good tokens wait for nothing.
func TestUnknownKeysAreNoLever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		good := seal(t, f.mint)
		id, rng := in(t, f.mint.Set(), "active").ID, rand.New(rand.NewPCG(1, 2))
		invented := make([]string, 1000)
		for i := range invented {
			invented[i] = relabel(t, good, id, strange(rng, id))
		}
		const seconds, perSecond = 100, 1000
		before := f.place.loads.Load()
		for i := range seconds * perSecond {
			if _, err := f.verify.Open(invented[i%len(invented)], session); err != keys.ErrUnknownKey {
				t.Fatalf("an invented key: %v", err)
			}
			if i%perSecond == 0 {
				if _, err := f.verify.Open(good, session); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second / perSecond)
		}
		if n := f.place.loads.Load() - before; n < seconds/2 || n > seconds+seconds/20 {
			t.Errorf("%d tokens in %d seconds made %d loads", seconds*perSecond, seconds, n)
		}
	})
	t.Run("store blocked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t)
			good := seal(t, f.mint)
			unknown := relabel(t, good, in(t, f.mint.Set(), "active").ID, flip(in(t, f.mint.Set(), "active").ID))
			f.place.mu.Lock()
			f.place.block = make(chan struct{})
			f.place.mu.Unlock()
			t.Cleanup(func() { close(f.place.block) })
			start := time.Now()
			for range 1000 {
				f.mint.Open(unknown, session)
				if _, err := f.mint.Open(good, session); err != nil {
					t.Fatal(err)
				}
				seal(t, f.mint)
			}
			if waited := time.Since(start); waited != 0 {
				t.Errorf("requests waited %v for a store that hangs", waited)
			}
		})
	})
}

// strange returns an id of the same shape.
func strange(rng *rand.Rand, id string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := []byte(id)
	for i := 1; i < len(b)-1; i++ {
		b[i] = letters[rng.IntN(len(letters))]
	}
	return string(b)
}

// A rotated file is picked up by a ring that nobody tells.
func TestRingsFollowTheirFile(t *testing.T) {
	src := sealedFile(t)
	mint, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer mint.Close()
	exported := keys.Source{Path: filepath.Join(t.TempDir(), "verify.json"), Key: verifyKey(t, src)}
	export := func() {
		t.Helper()
		doc, err := src.Export(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		write(t, exported.Path, doc)
	}
	export()
	verify, err := exported.OpenVerifyOnly(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer verify.Close()
	if _, err := src.Edit(t.Context(), rotate); err != nil {
		t.Fatal(err)
	}
	export()
	for deadline := time.Now().Add(30 * time.Second); mint.Generation() != 2 || verify.Generation() != 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v and %v have not followed", mint, verify)
		}
	}
}

// Who is told of a problem may look at the ring and reload it.
func TestAReportMayReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := keys.Source{Store: newPlace(), Key: newKey(t)}
		if err := src.Create(t.Context(), newSet(t, keys.JWT)); err != nil {
			t.Fatal(err)
		}
		var opened atomic.Pointer[keys.Ring]
		told := make(chan string, 10)
		src.Report = func(problem error) {
			told <- fmt.Sprint(problem)
			ring := opened.Load()
			if err := ring.Reload(); (err == nil) != (problem == nil) || ring.Problem() == nil != (problem == nil) {
				t.Errorf("told of %v, and found %v", problem, err)
			}
		}
		ring, err := src.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer ring.Close()
		opened.Store(ring)
		src.Store.(*place).set(errors.New("away"), nil)
		ring.Reload()
		time.Sleep(time.Hour)
		src.Store.(*place).set(nil, nil)
		time.Sleep(time.Hour)
		if away, well := <-told, <-told; !strings.Contains(away, "away") || well != "<nil>" || len(told) > 0 {
			t.Errorf("told of %q, then of %q", away, well)
		}
	})
}
