package token_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

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
				tt.change(&s.Data)
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
			if err == nil && s.Data.Name == "Mallory" {
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
