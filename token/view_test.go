package token_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// What is done with one copy of a View shows in no other, and in no later View.
func TestCopiesOfAViewAreApart(t *testing.T) {
	for name, size := range map[string]int{"from the cache": 1 << 20, "without one": 0} {
		t.Run(name, func(t *testing.T) {
			ring := newRing(t, keys.JWT)
			ring.SetCache(size)
			issuer := token.NewIssuer[sliceData](ring, web)
			tok, _ := issue(t, issuer, sliceData{Name: "Alice", Roles: []string{"user"}})
			for range 3 {
				v, err := issuer.Verifier().View(tok)
				if err != nil {
					t.Fatal(err)
				}
				s, c := v.Session(), v.Claims()
				s.Subject, c.SessionID = "mallory", "x"
				s.Data().Roles[0] = "admin"
				s.SetData(sliceData{Name: "Mallory"})
				if s := v.Session(); s.Subject != "alice" || s.SessionID == "x" || s.Data().Name != "Alice" || s.Data().Roles[0] != "user" {
					t.Error("a change of one copy shows in the next")
				}
			}
		})
	}
}

func TestAViewOfASessionStaysWhatItWas(t *testing.T) {
	_, s := issue(t, token.NewIssuer[sliceData](newRing(t, keys.JWT), web), sliceData{Name: "Alice"})
	v := s.View()
	s.Subject = "mallory"
	s.SetData(sliceData{Name: "Mallory"})
	if was := v.Session(); was.Subject != "alice" || was.Data().Name != "Alice" {
		t.Error("it changed with the session")
	}
}

func TestAViewOfNothing(t *testing.T) {
	var v token.View[sliceData]
	if s := v.Session(); s.Subject != "" || s.Data().Name != "" || v.Claims() != (token.Claims{}) {
		t.Error("it has claims")
	}
}

func TestViewRefusesWhatVerifyRefuses(t *testing.T) {
	issuer := token.NewIssuer[sliceData](newRing(t, keys.JWT), web)
	tok, _ := issue(t, issuer, sliceData{})
	for name, bad := range map[string]string{"none": "", "too long": string(make([]byte, token.MaxSize+1)), "cut": tok[:len(tok)-1]} {
		_, want := issuer.Verifier().Verify(bad)
		v, err := issuer.Verifier().View(bad)
		if err == nil || !errors.Is(err, want) || v != (token.View[sliceData]{}) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// A View is of the moment: the next one of the same token is refused once that has expired.
func TestTimesAreAskedForEachView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := token.NewIssuer[sliceData](newRing(t, keys.JWT), web)
		tok, _ := issue(t, issuer, sliceData{})
		if _, err := issuer.Verifier().View(tok); err != nil {
			t.Fatal(err)
		}
		time.Sleep(issuer.Verifier().Config().MaxAge + time.Hour)
		if _, err := issuer.Verifier().View(tok); !errors.Is(err, token.ErrExpired) {
			t.Errorf("got %v", err)
		}
	})
}
