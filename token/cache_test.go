package token_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// The kinds of session data that differ in how they are handed out again.
type (
	flatData struct {
		Name string
		When time.Time
		N    [3]int
	}
	sliceData struct {
		Name  string
		Roles []string
		Empty []string
		Cart  []struct{ Prices []int }
	}
	mapData struct {
		Prefs map[string]string
		Lists map[string][]int
	}
	pointerData struct{ Next *struct{ N *int } }
	anyData     struct{ X any }
	treeData    struct{ Children []treeData }
	hiddenData  struct{ secret []byte }
)

// UnmarshalJSON fills a field that no other package can.
func (h *hiddenData) UnmarshalJSON(b []byte) error {
	h.secret = append([]byte{}, b...)
	return nil
}

func (h hiddenData) MarshalJSON() ([]byte, error) { return h.secret, nil }

// handedOut verifies a token twice. What change does to the first session must
// not show in the second.
func handedOut[T any](t *testing.T, data T, change func(*T)) {
	t.Helper()
	issuer := token.NewIssuer[T](newRing(t, keys.JWT), web)
	tok, _ := issue(t, issuer, data)
	verify := func() *token.Session[T] {
		t.Helper()
		s, err := issuer.Verifier().Verify(tok)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for range 3 { // the first time from the token, then from the cache
		s := verify()
		if !reflect.DeepEqual(s.Data, data) {
			t.Errorf("got %+v, want %+v", s.Data, data)
		}
		change(&s.Data)
		if reflect.DeepEqual(s.Data, data) {
			t.Fatal("nothing was changed")
		}
		s.Subject, s.ExpiresAt = "mallory", s.ExpiresAt.Add(time.Hour)
	}
	if s := verify(); s.Subject != "alice" || !reflect.DeepEqual(s.Data, data) {
		t.Errorf("what one caller changed, another got: %+v", s.Data)
	}
}

func TestNoCallChangesTheDataOfAnother(t *testing.T) {
	one, two := 1, 2
	t.Run("plain", func(t *testing.T) {
		handedOut(t, flatData{"Alice", genesis, [3]int{1, 2, 3}}, func(d *flatData) { d.Name, d.N[1] = "Bob", 9 })
	})
	t.Run("slices", func(t *testing.T) {
		data := sliceData{"Alice", []string{"admin", "user"}, []string{}, []struct{ Prices []int }{{[]int{1, 2}}, {nil}}}
		handedOut(t, data, func(d *sliceData) { d.Roles[0] = "root"; d.Cart[0].Prices[1] = 9; d.Cart[1].Prices = []int{1} })
	})
	t.Run("maps", func(t *testing.T) {
		data := mapData{map[string]string{"a": "b"}, map[string][]int{"x": {1, 2}}}
		handedOut(t, data, func(d *mapData) { d.Prefs["c"] = "d"; d.Lists["x"][0] = 9 })
	})
	t.Run("a map", func(t *testing.T) {
		handedOut(t, map[string]int{"a": 1}, func(d *map[string]int) { (*d)["a"] = 2 })
	})
	t.Run("pointers", func(t *testing.T) {
		data := pointerData{&struct{ N *int }{&one}}
		handedOut(t, data, func(d *pointerData) { *d.Next.N = 9 })
		handedOut(t, pointerData{}, func(d *pointerData) { d.Next = &struct{ N *int }{&two} })
	})
	t.Run("any", func(t *testing.T) {
		handedOut(t, anyData{map[string]any{"a": []any{"b"}}}, func(d *anyData) { d.X.(map[string]any)["a"].([]any)[0] = "c" })
	})
	t.Run("a tree", func(t *testing.T) {
		data := treeData{[]treeData{{[]treeData{}}, {nil}}}
		handedOut(t, data, func(d *treeData) { d.Children[0].Children = nil })
	})
	t.Run("fields that can't be seen", func(t *testing.T) {
		handedOut(t, hiddenData{[]byte(`"x"`)}, func(d *hiddenData) { d.secret[1] = 'y' })
	})
}

// The cache knows that a token was good. Whether it is has to be asked again.
func TestTimesAreAskedOnEachHit(t *testing.T) {
	ring := newRing(t, keys.JWT)
	synctest.Test(t, func(t *testing.T) {
		issuer := token.NewIssuer[user](ring, web)
		tok, _ := issue(t, issuer, user{Name: "Alice"})
		for range 31 {
			if _, err := issuer.Verifier().Verify(tok); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if _, err := issuer.Verifier().Verify(tok); !errors.Is(err, token.ErrExpired) {
			t.Errorf("after its expiry: %v", err)
		}
	})
}

func TestATokenThatWasTooEarlyIsGoodLater(t *testing.T) {
	ring := newRing(t, keys.JWT)
	tok := seal(t, ring, claims(genesis.Add(time.Hour)))
	synctest.Test(t, func(t *testing.T) {
		v := token.NewVerifier[user](ring, web)
		if _, err := v.Verify(tok); !errors.Is(err, token.ErrNotYet) {
			t.Fatalf("before it was issued: %v", err)
		}
		time.Sleep(time.Hour)
		if _, err := v.Verify(tok); err != nil {
			t.Errorf("after it was issued: %v", err)
		}
	})
}

// Verifiers of one ring with other policies don't take each other's word.
func TestPoliciesAreKeptApart(t *testing.T) {
	ring := newRing(t, keys.JWT)
	tok, _ := issue(t, token.NewIssuer[user](ring, web), user{Name: "Alice"})
	strict := web
	strict.MaxAge = time.Minute
	other := web
	other.Audience = "api"
	for range 2 {
		if _, err := token.NewVerifier[user](ring, web).Verify(tok); err != nil {
			t.Error(err)
		}
		if _, err := token.NewVerifier[user](ring, strict).Verify(tok); !errors.Is(err, token.ErrClaims) {
			t.Errorf("a shorter MaxAge: %v", err)
		}
		if _, err := token.NewVerifier[user](ring, other).Verify(tok); !errors.Is(err, token.ErrBinding) {
			t.Errorf("another audience: %v", err)
		}
		if _, err := token.NewVerifier[[]int](ring, web).Verify(tok); !errors.Is(err, token.ErrData) {
			t.Errorf("another type: %v", err)
		}
	}
}

// With the genuine token in the cache, one that differs in any character is as
// wrong as ever.
func TestForgeriesOfACachedToken(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		issuer := token.NewIssuer[user](ring, web)
		tok, _ := issue(t, issuer, user{Name: "Alice"})
		for i := range tok {
			if _, err := issuer.Verifier().Verify(tok); err != nil {
				t.Fatal(err)
			}
			b := []byte(tok)
			b[i] ^= 1
			if _, err := issuer.Verifier().Verify(string(b)); !errors.Is(err, token.ErrInvalid) {
				t.Fatalf("another character at %d: %v", i, err)
			}
		}
	})
}

func TestUnreadData(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		for _, raw := range []string{`{"Name":"Alice"}`, `"text"`, `[1,2]`, `null`} {
			c := claims(time.Now())
			c.Raw = raw
			issuer := token.NewIssuer[struct{}](ring, web)
			s, err := issuer.Verifier().Verify(seal(t, ring, c))
			if err != nil || s.Subject != "alice" {
				t.Fatalf("%s: %v", raw, err)
			}
			_, renewed, err := issuer.Renew(s)
			if err != nil || renewed.Raw != raw {
				t.Errorf("%s became %s in a renewal: %v", raw, renewed.Raw, err)
			}
		}
	})
}

func TestAHitAllocatesNothing(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		text := strings.Repeat("x", 200)
		tok, _ := issue(t, token.NewIssuer[flatData](ring, web), flatData{Name: text})
		verifier := token.NewVerifier[flatData](ring, web)
		hot := testing.AllocsPerRun(100, func() {
			if s, err := verifier.Verify(tok); err != nil || s.Data.Name != text {
				t.Fatal(err)
			}
		})
		if hot != 0 {
			t.Errorf("from the cache: %v allocations", hot)
		}
	})
}

func TestManyRequestsAtOnce(t *testing.T) {
	issuer := token.NewIssuer[sliceData](newRing(t, keys.JWT), web)
	toks := make([]string, 20)
	for i := range toks {
		toks[i], _ = issue(t, issuer, sliceData{Name: fmt.Sprint(i), Roles: []string{fmt.Sprint(i)}})
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				n := (i*7 + g) % len(toks)
				s, err := issuer.Verifier().Verify(toks[n])
				if err != nil || s.Data.Name != fmt.Sprint(n) || s.Data.Roles[0] != s.Data.Name {
					t.Errorf("%d: %v", n, err)
					return
				}
				s.Data.Roles[0] = "changed"
			}
		})
	}
	wg.Wait()
}
