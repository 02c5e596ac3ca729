package token_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

type userV1 struct {
	Name  string `json:"name"`
	Score float64
	Prefs prefsV1 `json:"prefs"`
}

type prefsV1 struct {
	Theme string `json:"theme,omitempty"`
}

// The data that a newer program wrote: members that userV1 does not know, and a
// number that a float64 can't hold.
const newer = `{"name":"Alice","Score":12345678901234567890.125,"team":{"id":9007199254740993},` +
	`"prefs":{"theme":"dark","density":1.50}}`

func TestRenewKeepsWhatTheTypeDoesNotKnow(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(u *userV1)
		want   []string // the parts that must be there, to the letter
		gone   []string
	}{
		"nothing changed": {
			func(u *userV1) {},
			[]string{newer}, nil,
		},
		"one member changed": {
			func(u *userV1) { u.Name = "Bob" },
			[]string{`"Bob"`, `12345678901234567890.125`, `{"id":9007199254740993}`, `"density":1.50`, `"dark"`},
			[]string{"Alice"},
		},
		"a nested member changed": {
			func(u *userV1) { u.Prefs.Theme = "light" },
			[]string{`"light"`, `"density":1.50`, `12345678901234567890.125`},
			[]string{"dark"},
		},
		"a nested member removed": {
			func(u *userV1) { u.Prefs.Theme = "" },
			[]string{`"density":1.50`, `"Alice"`},
			[]string{"theme"},
		},
		"a number changed": {
			func(u *userV1) { u.Score = 2 },
			[]string{`"Score":2`, `{"id":9007199254740993}`},
			[]string{"890.125"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachFormat(t, func(t *testing.T, ring *keys.Ring) {
				issuer := token.NewIssuer[userV1](ring, web)
				c := claims(time.Now())
				c.Raw = newer
				s, err := issuer.Verifier().Verify(seal(t, ring, c))
				if err != nil {
					t.Fatal(err)
				}
				data := s.Data()
				tt.change(&data)
				s.SetData(data)
				tok, _, err := issuer.Renew(s)
				if err != nil {
					t.Fatal(err)
				}
				renewed, err := issuer.Verifier().Verify(tok)
				if err != nil {
					t.Fatal(err)
				}
				for _, part := range tt.want {
					if !strings.Contains(string(renewed.Raw), part) {
						t.Errorf("%s is missing in %s", part, renewed.Raw)
					}
				}
				for _, part := range tt.gone {
					if strings.Contains(string(renewed.Raw), part) {
						t.Errorf("%s is still in %s", part, renewed.Raw)
					}
				}
			})
		})
	}
}

func TestDataIsReadStrictly(t *testing.T) {
	for raw, want := range map[string]error{
		`{"name":"Alice"}`:                  nil,
		`{"name":"Alice","NAME":"Mallory"}`: nil, // another member, not ours
		`{"other":1}`:                       nil,
		`null`:                              nil,
		`{"name":1}`:                        token.ErrData,
		`["name"]`:                          token.ErrData,
		`{"prefs":{"theme":false}}`:         token.ErrData,
		`{"name":"Alice","name":"Mallory"}`: token.ErrInvalid,
		`{"x":{"y":1,"y":2}}`:               token.ErrInvalid,
	} {
		t.Run(raw, func(t *testing.T) {
			c := claims(time.Now())
			c.Raw = raw
			s, err := token.NewVerifier[userV1](fixed(c), web).Verify("a token")
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
			if err == nil && s.Data().Name == "Mallory" {
				t.Error("a name in other case was taken")
			}
		})
	}
}

func TestSizeErrorTellsTheRoom(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		issuer := token.NewIssuer[string](ring, web)
		_, _, err := issuer.Issue("alice", strings.Repeat("x", 3000))
		var e *token.SizeError
		if !errors.As(err, &e) {
			t.Fatalf("got %v", err)
		}
		if e.Data != 3002 {
			t.Errorf("data is said to take %d bytes", e.Data)
		}
		tok, _, err := issuer.Issue("alice", strings.Repeat("x", e.Room-2))
		if err != nil {
			t.Fatalf("%d bytes were said to fit: %v", e.Room, err)
		}
		if cookie := len("__Host-session=; Path=/; HttpOnly; Secure; SameSite=Lax") + len(tok); cookie > 4096 {
			t.Errorf("the cookie has %d bytes", cookie)
		}
		if _, _, err := issuer.Issue("alice", strings.Repeat("x", e.Room-1)); err == nil {
			t.Errorf("one byte more than %d fits, too", e.Room)
		}
		// A PASETO has its times as text, and a member around the inner token.
		least := map[string]int{"jwt": 1890, "paseto": 1840}[string(ring.Set().Keys()[0].Format)]
		if e.Room < least {
			t.Errorf("there is room for %d bytes only", e.Room)
		}
	})
}

func TestDataThatCannotBeWritten(t *testing.T) {
	issuer := token.NewIssuer[any](newRing(t, keys.JWT), web)
	deep := any("bottom")
	for range 20 {
		deep = []any{deep}
	}
	wide := map[int]bool{}
	for i := range 257 {
		wide[i] = true
	}
	long := new(big.Int).Exp(big.NewInt(10), big.NewInt(256), nil)
	for name, data := range map[string]any{
		"a func": func() {}, "bad text": "\xff", "too deep": deep, "too wide": wide, "a long number": long,
	} {
		if tok, _, err := issuer.Issue("alice", data); err == nil {
			t.Errorf("%s was sealed in %d bytes", name, len(tok))
		}
	}
}

type basket struct {
	*Owner
	Items   map[string]int `json:"items"`
	Note    string         `json:",omitempty"`
	private string
}

type Owner struct {
	Name string `json:"name"`
}

// The names of the members are the program's, and those of a map are its users'.
func TestSizeErrorNamesTheLargestMembers(t *testing.T) {
	items := map[string]int{}
	for i := range 500 {
		items["confidential item "+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("y", i/26)] = i
	}
	ring := newRing(t, keys.JWT)
	data := basket{&Owner{"Alice"}, items, strings.Repeat("n", 100), "never written"}
	for name, err := range map[string]error{
		"struct":  issueError(t, token.NewIssuer[basket](ring, web), data),
		"pointer": issueError(t, token.NewIssuer[*basket](ring, web), &data),
		"map":     issueError(t, token.NewIssuer[map[string]int](ring, web), items),
		"text":    issueError(t, token.NewIssuer[string](ring, web), strings.Repeat("x", 5000)),
	} {
		var e *token.SizeError
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "confidential") || strings.Contains(err.Error(), "Alice") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "map" || name == "text" {
			if len(e.Members) > 0 {
				t.Errorf("%s: %v", name, e.Members)
			}
			continue
		}
		if len(e.Members) != 3 || e.Members["Note"] != len(`"Note":""`)+100 || e.Members["name"] != len(`"name":"Alice"`) || e.Members["items"] < 5000 {
			t.Errorf("%s: %v", name, e.Members)
		}
		if i, j := strings.Index(err.Error(), "members: items "), strings.Index(err.Error(), ", Note 109, name 14)"); i < 0 || j < i {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func issueError[T any](t *testing.T, i *token.Issuer[T], data T) error {
	t.Helper()
	tok, _, err := i.Issue("alice", data)
	if tok != "" || err == nil {
		t.Errorf("issued %d bytes, %v", len(tok), err)
	}
	return err
}

func TestFittingLeavesLessRoom(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		issuer := token.NewIssuer[string](ring, web)
		for size, want := range map[int]int{1000: 1000, 4040: 4040, 10_000: 4040} {
			fitting := issuer.Fitting(size)
			var e *token.SizeError
			if err := issueError(t, fitting, strings.Repeat("x", 5000)); !errors.As(err, &e) {
				t.Fatal(err)
			}
			tok, s, err := fitting.Issue("alice", strings.Repeat("x", e.Room-2))
			if err != nil || len(tok) > want || len(tok) < want-3 {
				t.Errorf("%d: the largest token has %d bytes, %v", size, len(tok), err)
			}
			s.SetData(s.Data() + "x")
			if _, _, err := fitting.Renew(s); !errors.As(err, &e) {
				t.Errorf("%d: renewed with one byte more: %v", size, err)
			}
		}
	})
}

type twice struct{}

func (twice) MarshalJSON() ([]byte, error) { return []byte(`{"a":1,"a":2}`), nil }

type twiceByPointer struct{ Name string }

func (*twiceByPointer) MarshalJSON() ([]byte, error) { return []byte(`{"a":1,"a":2}`), nil }

type loud struct{ Name string }

func (l loud) MarshalText() ([]byte, error) { return []byte(strings.ToUpper(l.Name)), nil }

type gathering struct {
	Name string         `json:"name"`
	Rest map[string]int `json:",embed"`
}

type chain struct {
	Next  *chain
	Value any
}

func refusesTwice[T any](t *testing.T, data T) {
	t.Helper()
	tok, s, err := token.NewIssuer[T](newRing(t, keys.JWT), web).Issue("alice", data)
	if err == nil {
		t.Errorf("%T: %s was sealed in %d bytes", data, s.Raw, len(tok))
	}
}

// No verifier would read it.
func TestNoNameIsWrittenTwice(t *testing.T) {
	refusesTwice(t, twice{})
	refusesTwice(t, []twice{{}})
	refusesTwice(t, map[string]twice{"x": {}})
	refusesTwice(t, &twice{})
	refusesTwice(t, twiceByPointer{})
	refusesTwice(t, struct {
		Deep [1]struct{ P *twiceByPointer }
	}{[1]struct{ P *twiceByPointer }{{new(twiceByPointer)}}})
	refusesTwice(t, struct{ twiceByPointer }{})
	refusesTwice(t, map[loud]int{{"a"}: 1, {"A"}: 2})
	refusesTwice(t, map[string]map[loud]int{"x": {{"a"}: 1, {"A"}: 2}})
	refusesTwice(t, map[*loud]int{{"a"}: 1, {"A"}: 2})
	refusesTwice(t, map[*string]int{new("a"): 1, new("a"): 2})
	refusesTwice(t, gathering{"alice", map[string]int{"name": 1}})
	refusesTwice(t, []gathering{{"alice", map[string]int{"name": 1}}})
	refusesTwice(t, any(twice{}))
	refusesTwice(t, chain{&chain{nil, twice{}}, nil})
	refusesTwice(t, json.RawMessage(`{"a":1,"a":2}`))
	refusesTwice(t, jsontext.Value(`{"a":1,"a":2}`))
	refusesTwice(t, struct{ V jsontext.Value }{jsontext.Value(`{"a":1,"a":2}`)})
}
