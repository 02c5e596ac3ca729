package token_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
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
	lineData struct { // all slices can be found without a look into another
		Roles roles
		Key   []byte
		Items []good
		More  struct {
			Names       []string
			Raw         json.RawMessage
			Empty, None []good
		}
	}
	roles []string
	good  struct {
		Name string
		N    int
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
		if !reflect.DeepEqual(s.Data(), data) {
			t.Errorf("got %+v, want %+v", s.Data(), data)
		}
		changed := s.Data()
		change(&changed)
		if reflect.DeepEqual(changed, data) {
			t.Fatal("nothing was changed")
		}
		s.Subject, s.ExpiresAt = "mallory", s.ExpiresAt.Add(time.Hour)
	}
	if s := verify(); s.Subject != "alice" || !reflect.DeepEqual(s.Data(), data) {
		t.Errorf("what one caller changed, another got: %+v", s.Data())
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
	t.Run("slices alone", func(t *testing.T) {
		var data lineData
		data.Roles, data.Key, data.Items = roles{"user"}, []byte{1, 2}, []good{{"pen", 1}, {"ink", 2}}
		data.More.Names, data.More.Raw, data.More.Empty = []string{"a", "b"}, json.RawMessage(`{"a":1}`), []good{}
		handedOut(t, data, func(d *lineData) {
			d.Roles[0], d.Key[1], d.Items[1].Name = "root", 9, "paper"
			d.More.Names[0], d.More.Raw[2] = "c", 'b'
			d.More.Empty, d.More.None = append(d.More.Empty, good{"ink", 3}), []good{{"pen", 4}}
		})
	})
	t.Run("a slice", func(t *testing.T) {
		handedOut(t, []good{{"pen", 1}}, func(d *[]good) { (*d)[0].N = 2 })
		handedOut(t, []string{"a"}, func(d *[]string) { (*d)[0] = "b" })
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

// What a caller does with the data shows in no other call, whoever made the session.
func TestEachCallReturnsDataOfItsOwn(t *testing.T) {
	type data struct {
		S sliceData
		M mapData
		P pointerData
	}
	price := 1
	read := func(d data) string { return fmt.Sprint(d.S.Roles, d.S.Cart, d.M.Lists, *d.P.Next.N) }
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		issuer := token.NewIssuer[data](ring, web)
		tok, issued := issue(t, issuer, data{
			sliceData{Roles: []string{"user"}, Cart: []struct{ Prices []int }{{[]int{1}}}},
			mapData{Lists: map[string][]int{"a": {1}}},
			pointerData{&struct{ N *int }{&price}},
		})
		cold, err := issuer.Verifier().Verify(tok)
		hot, err2 := issuer.Verifier().Verify(tok)
		_, renewed, err3 := issuer.Renew(issued)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		want := read(issued.Data())
		for name, s := range map[string]*token.Session[data]{"issued": issued, "renewed": renewed, "cold": cold, "hot": hot} {
			d := s.Data()
			d.S.Roles[0], d.S.Cart[0].Prices[0], d.M.Lists["a"][0], *d.P.Next.N = "root", 2, 2, 2
			if got := read(s.Data()); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
	})
}

// countedData changes when it is written, as a MarshalJSON may.
type countedData struct {
	N     int
	calls int
}

func (c *countedData) MarshalJSON() ([]byte, error) {
	c.calls++
	return json.Marshal(c.N)
}

func (c *countedData) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &c.N) }

func TestRenewalsOfOneTokenAtOnce(t *testing.T) {
	issuer := token.NewIssuer[countedData](newRing(t, keys.JWT), web)
	tok, _ := issue(t, issuer, countedData{N: 1})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				s, err := issuer.Verifier().Verify(tok)
				if err == nil {
					_, _, err = issuer.Renew(s)
				}
				if err != nil || s.Data().calls != 0 {
					t.Errorf("a renewal shows in the data: %v, %v", s.Data(), err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// indexed data finds its items by name, too.
type indexed struct {
	Items []indexedItem
	ByID  map[string]*indexedItem `json:"-"`
}

type indexedItem struct {
	ID string
	N  int
}

func (b *indexed) UnmarshalJSON(text []byte) error {
	err := json.Unmarshal(text, &b.Items)
	b.ByID = map[string]*indexedItem{}
	for i := range b.Items {
		b.ByID[b.Items[i].ID] = &b.Items[i]
	}
	return err
}

func (b indexed) MarshalJSON() ([]byte, error) { return json.Marshal(b.Items) }

func TestReferencesWithinTheDataStayTogether(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		issuer := token.NewIssuer[indexed](ring, web)
		tok, _ := issue(t, issuer, indexed{Items: []indexedItem{{"pen", 1}}})
		for range 2 { // from the token, then from the cache
			s, err := issuer.Verifier().Verify(tok)
			if err != nil {
				t.Fatal(err)
			}
			data := s.Data()
			data.ByID["pen"].N++
			s.SetData(data)
			if _, next, err := issuer.Renew(s); err != nil || next.Raw != `[{"ID":"pen","N":2}]` {
				t.Errorf("got %s, %v", next.Raw, err)
			}
		}
	})
}

func TestSetDataChangesOneSession(t *testing.T) {
	issuer := token.NewIssuer[user](newRing(t, keys.JWT), web)
	tok, _ := issue(t, issuer, user{Name: "Alice"})
	s, err := issuer.Verifier().Verify(tok)
	if err != nil {
		t.Fatal(err)
	}
	s.SetData(user{Name: "Mallory"})
	other, err := issuer.Verifier().Verify(tok)
	if err != nil || other.Data().Name != "Alice" || s.Data().Name != "Mallory" {
		t.Errorf("got %v and %v, %v", s.Data(), other.Data(), err)
	}
	if zero := new(token.Session[user]); zero.Data().Name != "" {
		t.Error("data out of nothing")
	}
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
		tok, _ := issue(t, token.NewIssuer[sliceData](ring, web), sliceData{Name: "Alice", Roles: []string{"admin"}})
		plain, slices := token.NewVerifier[flatData](ring, web), token.NewVerifier[sliceData](ring, web)
		for name, hit := range map[string]func() bool{
			"with plain data": func() bool { s, err := plain.Verify(tok); return err == nil && s.Data().Name == "Alice" },
			"with slices":     func() bool { s, err := slices.Verify(tok); return err == nil && s.Subject == "alice" },
		} {
			if n := testing.AllocsPerRun(100, func() {
				if !hit() {
					t.Fatal(name)
				}
			}); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}

// What the page of the cache says that each call of Data costs.
func TestWhatACopyOfTheDataAllocates(t *testing.T) {
	one := 1
	many := map[string]int{}
	for i := range 100 {
		many[fmt.Sprint(i)] = i
	}
	for name, tt := range map[string]struct{ got, most float64 }{
		"plain":       {copyOf(t, flatData{Name: "Alice"}), 0},
		"one slice":   {copyOf(t, []string{"admin"}), 1},
		"two slices":  {copyOf(t, struct{ A, B []string }{[]string{"a"}, []string{"b"}}), 2},
		"two numbers": {copyOf(t, struct{ A, B []int }{[]int{1}, []int{2}}), 2},
		"a pointer":   {copyOf(t, struct{ N *int }{&one}), 1},
		"a large map": {copyOf(t, many), 20}, // and none for each entry
	} {
		if tt.got > tt.most {
			t.Errorf("%s: %v allocations, want at most %v", name, tt.got, tt.most)
		}
	}
}

// copyOf returns how many allocations a call of Data makes, the lower quartile of many
// calls: the race detector drops one in four things that are put into a pool, so that
// nearly half of the calls that use two find one of them empty.
func copyOf[T any](t *testing.T, data T) float64 {
	t.Helper()
	issuer := token.NewIssuer[T](newRing(t, keys.JWT), web)
	tok, _ := issue(t, issuer, data)
	s, err := issuer.Verifier().Verify(tok)
	if err != nil {
		t.Fatal(err)
	}
	var counts [101]float64
	for i := range counts {
		counts[i] = testing.AllocsPerRun(1, func() { s.Data() })
	}
	slices.Sort(counts[:])
	return counts[len(counts)/4]
}

func TestManyRequestsAtOnce(t *testing.T) {
	t.Run("slices in slices", func(t *testing.T) {
		manyAtOnce(t, func(s string) sliceData { return sliceData{Name: s, Roles: []string{s}} }, func(d sliceData) *string { return &d.Roles[0] })
	})
	t.Run("slices alone", func(t *testing.T) {
		manyAtOnce(t, func(s string) lineData { return lineData{Items: []good{{s, 1}}} }, func(d lineData) *string { return &d.Items[0].Name })
	})
}

func manyAtOnce[T any](t *testing.T, with func(string) T, in func(T) *string) {
	issuer := token.NewIssuer[T](newRing(t, keys.JWT), web)
	toks := make([]string, 20)
	for i := range toks {
		toks[i], _ = issue(t, issuer, with(fmt.Sprint(i)))
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				n := (i*7 + g) % len(toks)
				s, err := issuer.Verifier().Verify(toks[n])
				if err != nil || *in(s.Data()) != fmt.Sprint(n) {
					t.Errorf("%d: %v", n, err)
					return
				}
				*in(s.Data()) = "changed" // in a copy
			}
		})
	}
	wg.Wait()
}

// sized is a ring that keeps nothing and tells how much it was asked to keep.
type sized struct {
	*keys.Ring
	size int
}

func (r *sized) OpenOnce(tok string, b token.Binding, _ any, believe func(token.Claims) (any, int, error)) (v any, err error) {
	c, err := r.Open(tok, b)
	if err == nil {
		v, r.size, err = believe(c)
	}
	return v, err
}

func sizeOf[T any](t *testing.T, data T) int {
	t.Helper()
	ring := &sized{Ring: newRing(t, keys.JWT)}
	issuer := token.NewIssuer[T](ring, web)
	tok, _ := issue(t, issuer, data)
	if _, err := issuer.Verifier().Verify(tok); err != nil {
		t.Fatal(err)
	}
	return ring.size
}

func TestWhatASessionTakes(t *testing.T) {
	machine := time.Local
	defer func() { time.Local = machine }()
	offset := time.FixedZone("here", 3600)
	moment := time.Date(2026, 1, 2, 3, 4, 5, 0, offset)
	inUTC := sizeOf(t, []time.Time{moment.UTC()})
	time.Local = offset
	if n := sizeOf(t, []time.Time{moment}); n > inUTC+len("+01:00") {
		t.Errorf("a time of this machine's zone takes %d bytes more than one of UTC", n-inUTC)
	}
	maps := make([]map[string]string, 100)
	for i := range maps {
		maps[i] = map[string]string{"a": "b"}
	}
	none, full := sizeOf(t, make([]map[string]string, 100)), sizeOf(t, maps)
	if n := (full - none) / len(maps); n < 300 { // a group of eight entries
		t.Errorf("a map of one entry counts as %d bytes", n)
	}
}

// A map has room for more entries than there are, at worst just after it has grown.
func TestAMapCountsAsWhatItTakes(t *testing.T) {
	t.Run("sets", func(t *testing.T) { countsMaps(t, struct{}{}) })
	t.Run("numbers", func(t *testing.T) { countsMaps(t, int8(0)) })
	t.Run("text", func(t *testing.T) { countsMaps(t, "") })
}

func countsMaps[E any](t *testing.T, e E) {
	var names []string
	for i := range 225 {
		names = append(names, fmt.Sprintf("%02x", i))
	}
	newMap := func(n int) map[string]E {
		m := map[string]E{}
		for _, name := range names[:n] {
			m[name] = e
		}
		return m
	}
	besides := sizeOf[map[string]E](t, nil) - len("null")
	for _, n := range []int{1, 8, 9, 14, 15, 28, 29, 57, 113, 225} {
		maps := make([]map[string]E, 200)
		before := heap()
		for i := range maps {
			maps[i] = newMap(n)
		}
		takes := (heap() - before) / len(maps)
		raw, err := json.Marshal(maps[0])
		if err != nil {
			t.Fatal(err)
		}
		if counts := sizeOf(t, maps[0]) - besides - len(raw) - n*len(names[0]); counts < takes*95/100 {
			t.Errorf("a map of %d takes %d bytes and counts as %d", n, takes, counts)
		}
		runtime.KeepAlive(maps)
	}
}

// The bound holds for data of many small parts too, which the allocator rounds up most.
func TestTheBoundHoldsForSmallParts(t *testing.T) {
	for _, length := range []int{9, 17, 33} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			const max = 2 << 20
			ring := newRing(t, keys.JWT)
			ring.SetCache(max)
			ring.CacheDigests()
			issuer := token.NewIssuer[[]string](ring, web)
			toks := make([]string, max/2000)
			for i := range toks {
				var parts []string // all different, as the same text would be there once
				for n := range 50 {
					parts = append(parts, fmt.Sprintf("%0*d", length, i*50+n))
				}
				toks[i], _ = issue(t, issuer, parts)
			}
			before := heap()
			for range 2 { // the second time they come in for sure
				for _, tok := range toks {
					if _, err := issuer.Verifier().Verify(tok); err != nil {
						t.Fatal(err)
					}
				}
			}
			if taken := heap() - before; taken > max || taken < max*7/10 {
				t.Errorf("it takes %d bytes of %d", taken, max)
			}
			runtime.KeepAlive(ring)
			runtime.KeepAlive(toks)
		})
	}
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
