// Package formattest runs tests with keys of each format.
package formattest

import (
	"crypto/fips140"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys"
)

// Each runs the test with each format. A process that is bound to FIPS 140
// refuses PASETO keys; there Each makes sure that it does and says why.
func Each(t *testing.T, test func(t *testing.T, f keys.Format)) {
	for _, f := range []keys.Format{keys.JWT, keys.PASETO} {
		t.Run(string(f), func(t *testing.T) {
			if f == keys.PASETO && fips140.Enforced() {
				Refused(t)
				return
			}
			test(t, f)
		})
	}
}

// Refused makes sure that there are no PASETO keys in this process, and that the
// error says why and what to do.
func Refused(t *testing.T) {
	t.Helper()
	_, err := keys.NewSet(keys.PASETO, keys.Policy{})
	if err == nil || !strings.Contains(err.Error(), "FIPS 140") || !strings.Contains(err.Error(), "use a JWT ring") {
		t.Errorf("a set of PASETO keys: %v", err)
	}
}

// Usable returns the formats that keys can have in this process.
func Usable() []keys.Format {
	if fips140.Enforced() {
		return []keys.Format{keys.JWT}
	}
	return []keys.Format{keys.JWT, keys.PASETO}
}
