package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// family says which error each outcome is.
var family = map[outcome]error{
	accept: nil, invalid: token.ErrInvalid, malformed: token.ErrMalformed, tooLarge: token.ErrTooLarge, binding: token.ErrBinding,
	claims: token.ErrClaims, expired: token.ErrExpired, notYet: token.ErrNotYet, unknownKey: keys.ErrUnknownKey, revokedKey: keys.ErrRevokedKey,
}

var config = token.Config{Issuer: "example.com", Audience: "web"}

type opener struct {
	name string
	token.Opener
}

// openers returns a ring of the corpus and its verify-only half.
func openers(t testing.TB, f keys.Format) []opener {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ring.json")
	write := func(doc string) {
		if err := os.WriteFile(path, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(ring(f))
	r, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := r.Set().VerifyOnly()
	if err != nil {
		t.Fatal(err)
	}
	write(string(doc))
	v, err := keys.OpenVerifyOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); v.Close() })
	return []opener{{"ring", r}, {"verify-only", v}}
}

func mustMint(t testing.TB, f keys.Format) []entry {
	t.Helper()
	entries, err := mint(f, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// Each token is judged as its name says: no hostile one is believed, every
// control is, and each refusal has its own member of the family.
func TestVerdicts(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		for _, o := range openers(t, f) {
			t.Run(o.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					verifier := token.NewVerifier[jsontext.Value](o, config)
					for _, e := range mustMint(t, f) {
						if s, err := verifier.Verify(e.tok); !is(err, family[e.want]) || (s != nil) != (e.want == accept) {
							t.Errorf("%s: got %v", e.name, err)
						}
					}
				})
			})
		}
	})
}

// is reports whether err is that member of the family. The bare family is no
// other member, although each is of it.
func is(err, member error) bool {
	if member == nil || member == token.ErrInvalid {
		return err == member
	}
	return errors.Is(err, member)
}

// A corpus is large, has no token twice, and is the same each time.
func TestCorpus(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		synctest.Test(t, func(t *testing.T) {
			entries, count := mustMint(t, f), map[outcome]int{}
			seen := map[string]string{}
			for _, e := range entries {
				count[e.want]++
				if _, known := family[e.want]; !known || !strings.HasSuffix(e.name, "."+string(e.want)) {
					t.Errorf("%s does not say its outcome", e.name)
				}
				for _, id := range []string{"name " + e.name, "token " + e.tok} {
					if other, ok := seen[id]; ok {
						t.Errorf("%s is there twice, see %s", e.name, other)
					}
					seen[id] = e.name
				}
			}
			if hostile := len(entries) - count[accept]; hostile < 300 || count[accept] < 10 {
				t.Errorf("%d hostile tokens and %d controls", hostile, count[accept])
			}
			t.Log(count)
			if again := mustMint(t, f); fmt.Sprint(again) != fmt.Sprint(entries) {
				t.Error("another corpus the second time")
			}
		})
	})
}

// A hostile token is one answer to a client: every error is of the family.
func TestEveryOutcomeIsOfTheFamily(t *testing.T) {
	for o, err := range family {
		if o != accept && !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s is not of the family", o)
		}
	}
}
