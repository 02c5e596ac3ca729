package token_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// What one release keeps in a session, and what the next does.
type (
	oldCart struct {
		Owner string    `json:"owner"`
		Lines []oldLine `json:"lines"`
	}
	oldLine struct {
		Item string `json:"item"`
		N    int    `json:"n"`
	}
	newCart struct {
		Owner   string    `json:"owner"`
		Lines   []newLine `json:"lines"`
		Voucher string    `json:"voucher,omitempty"`
	}
	newLine struct {
		Item string `json:"item"`
		N    int    `json:"n"`
		Gift *gift  `json:"gift,omitempty"`
	}
	gift struct {
		Paper string `json:"paper"`
		Price json.Number
	}
)

// visit is a request on a node whose program has the type T: it verifies,
// changes the data and renews.
func visit[T any](t *testing.T, ring *keys.Ring, tok string, change func(*T)) string {
	t.Helper()
	issuer := token.NewIssuer[T](ring, web)
	s, err := issuer.Verifier().Verify(tok)
	if err != nil {
		t.Fatal(err)
	}
	data := s.Data()
	change(&data)
	s.SetData(data)
	tok, _, err = issuer.Renew(s)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// One session, passed from node to node while they are replaced one by one.
func TestRollingDeployKeepsTheData(t *testing.T) {
	wrapped := newLine{"book", 1, &gift{"red", "0.10000000000000000000000001"}}
	for name, tt := range map[string]struct {
		onOld func(*oldCart)
		want  newCart
	}{
		"the old node only reads": {
			func(*oldCart) {},
			newCart{"Alice", []newLine{wrapped, {"pen", 2, nil}}, "XMAS"},
		},
		"changes a member": {
			func(c *oldCart) { c.Owner = "Bob" },
			newCart{"Bob", []newLine{wrapped, {"pen", 2, nil}}, "XMAS"},
		},
		"changes an element": {
			func(c *oldCart) { c.Lines[0].N = 7 },
			newCart{"Alice", []newLine{{"book", 7, wrapped.Gift}, {"pen", 2, nil}}, "XMAS"},
		},
		"appends an element": {
			func(c *oldCart) { c.Lines = append(c.Lines, oldLine{"ink", 1}) },
			newCart{"Alice", []newLine{wrapped, {"pen", 2, nil}, {"ink", 1, nil}}, "XMAS"},
		},
		"removes another element": {
			func(c *oldCart) { c.Lines = c.Lines[:1] },
			newCart{"Alice", []newLine{wrapped}, "XMAS"},
		},
		"removes the element": {
			func(c *oldCart) { c.Lines = c.Lines[1:] },
			newCart{"Alice", []newLine{{"pen", 2, nil}}, "XMAS"},
		},
		"puts them in another order": {
			func(c *oldCart) { c.Lines[0], c.Lines[1] = c.Lines[1], c.Lines[0] },
			newCart{"Alice", []newLine{{"pen", 2, nil}, wrapped}, "XMAS"},
		},
		"replaces an element": {
			func(c *oldCart) { c.Lines = []oldLine{{"ink", 1}} },
			newCart{"Alice", []newLine{{"ink", 1, nil}}, "XMAS"},
		},
		"empties the list": {
			func(c *oldCart) { c.Lines = nil },
			newCart{"Alice", nil, "XMAS"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachFormat(t, func(t *testing.T, ring *keys.Ring) {
				tok, _ := issue(t, token.NewIssuer[oldCart](ring, web), oldCart{"Alice", nil})
				tok = visit(t, ring, tok, func(c *newCart) {
					if c.Owner != "Alice" || c.Voucher != "" {
						t.Errorf("the new node reads %+v", *c)
					}
					*c = newCart{"Alice", []newLine{wrapped, {"pen", 2, nil}}, "XMAS"}
				})
				tok = visit(t, ring, tok, tt.onOld)
				tok = visit(t, ring, tok, func(*oldCart) {}) // a further old node
				s, err := token.NewVerifier[newCart](ring, web).Verify(tok)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(s.Data(), tt.want) {
					t.Errorf("the data is %s", s.Raw)
				}
			})
		})
	}
}

// person was a string, and is an object with two names now.
type person struct {
	First, Last string
}

func (p *person) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &p.First) == nil {
		return nil
	}
	type plain person
	return json.Unmarshal(b, (*plain)(p))
}

// Without a word from the program, data of an old form is a session that has to
// log in again. With one method it goes on.
func TestDataOfAnOldForm(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		tok, _ := issue(t, token.NewIssuer[string](ring, web), "Alice")
		type plain struct{ First, Last string }
		if s, err := token.NewVerifier[plain](ring, web).Verify(tok); s != nil || !errors.Is(err, token.ErrData) || !errors.Is(err, token.ErrInvalid) {
			t.Errorf("got %v, %v", s, err)
		}
		tok = visit(t, ring, tok, func(p *person) {
			if p.First != "Alice" {
				t.Errorf("read %+v", *p)
			}
			p.Last = "Adams"
		})
		s, err := token.NewVerifier[plain](ring, web).Verify(tok)
		if err != nil || s.Data() != (plain{"Alice", "Adams"}) {
			t.Errorf("renewed to %v", err)
		}
	})
}

// The error of a type's own method may quote what it could not read.
func TestDataErrorsTellNothing(t *testing.T) {
	c := claims(time.Now())
	c.Raw = `"hunter2"`
	_, err := token.NewVerifier[time.Time](fixed(c), web).Verify("a token")
	if err != token.ErrData {
		t.Errorf("got %v", err)
	}
}
