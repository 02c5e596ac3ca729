package keys_test

import (
	"strings"
	"testing"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
)

// What other languages read has each key of its format that is not revoked, and
// no private one.
func TestJWKSAndPASERK(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		set, err := keys.NewSet(f, keys.Policy{})
		if err != nil {
			t.Fatal(err)
		}
		revoked := set.Keys()[0].ID
		if set, err = set.Revoke(revoked); err != nil {
			t.Fatal(err)
		}
		write, other := set.JWKS, set.PASERK
		if f == keys.PASETO {
			write, other = other, write
		}
		doc, err := write()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range set.Keys() {
			if strings.Contains(string(doc), `"`+k.ID+`"`) == (k.ID == revoked) {
				t.Errorf("the %s key is there, or is missing", k.State)
			}
		}
		if strings.Contains(string(doc), `"d"`) || strings.Contains(string(doc), "secret") {
			t.Error("a private key is there")
		}
		if doc, err := other(); err == nil || doc != nil {
			t.Errorf("the other format gives %d bytes and %v", len(doc), err)
		}
	})
}
