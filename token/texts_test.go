package token_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// An unruly issues other tokens while it is encoded, fails, panics, and is large.
type unruly struct {
	Name string
	how  func() ([]byte, error)
}

func (u unruly) MarshalJSON() ([]byte, error) {
	if u.how != nil {
		return u.how()
	}
	return json.Marshal(u.Name)
}

func (u *unruly) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &u.Name) }

// What is written of one session is not found in another, whatever happens meanwhile.
func TestEachSessionHasTextsOfItsOwn(t *testing.T) {
	issuer := token.NewIssuer[unruly](newRing(t, keys.JWT), web)
	var mu sync.Mutex
	ids := map[string]bool{}
	own := func(name string, u unruly) {
		tok, s, err := issuer.Issue("alice", u)
		if err != nil {
			t.Error(err)
			return
		}
		got, err := issuer.Verifier().Verify(tok)
		if err != nil || got.Data().Name != name || s.Raw != `"`+name+`"` || got.SessionID != s.SessionID {
			t.Errorf("%s: %v, %q", name, err, s.Raw)
		}
		mu.Lock()
		defer mu.Unlock()
		if ids[s.ID] || ids[s.SessionID] || len(s.ID) != 22 || len(s.SessionID) != 22 {
			t.Errorf("an id that is there already: %s", s.ID)
		}
		ids[s.ID], ids[s.SessionID] = true, true
	}
	ways := []func(){
		func() { own("small", unruly{Name: "small"}) },
		func() {
			own("outer", unruly{how: func() ([]byte, error) {
				own("inner", unruly{Name: "inner"})
				return []byte(`"outer"`), nil
			}})
		},
		func() {
			defer func() { recover() }()
			issuer.Issue("alice", unruly{how: func() ([]byte, error) { panic("no") }})
		},
		func() { issuer.Issue("alice", unruly{how: func() ([]byte, error) { return nil, errors.New("no") }}) },
		func() { issuer.Issue("alice", unruly{how: func() ([]byte, error) { return []byte(`"half`), nil }}) },
		func() { issuer.Issue("alice", unruly{Name: strings.Repeat("x", 100_000)}) },
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 60 {
				ways[(g+i)%len(ways)]()
			}
		})
	}
	all.Wait()
	if len(ids) != 2*8*60*3/len(ways) {
		t.Errorf("%d ids", len(ids))
	}
}
