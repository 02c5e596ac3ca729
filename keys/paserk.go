package keys

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/paseto"
)

// A paserk is what reads the tokens of one PASETO key.
type paserk struct {
	ID     string `json:"kid"`    // k4.lid, as in the footer
	Local  string `json:"local"`  // k4.local
	Public string `json:"public"` // k4.public
}

// PASERK returns the verify-only half of the PASETO keys in the text form of
// PASERK, for services in other languages: an object whose member keys is a list
// of kid, local and public. As [Set.VerifyOnly] it holds no private key, but
// whoever has it can read every token. JWT keys are left out, as are revoked
// ones; a set that has no others is an error.
func (s *Set) PASERK() ([]byte, error) {
	var set struct {
		Keys []paserk `json:"keys"`
	}
	for _, k := range s.keys {
		if k.Format != PASETO || k.secrets == nil {
			continue
		}
		local, public, err := paseto.PASERK(k.seal[:], k.Public)
		if err != nil {
			return nil, fmt.Errorf("write PASERK: key %s: %w", k.ID, err)
		}
		set.Keys = append(set.Keys, paserk{k.ID, local, public})
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("write PASERK: the ring has no PASETO key, and a JWT key has no form as PASERK")
	}
	doc, err := json.Marshal(set, jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("write PASERK: %w", err)
	}
	return append(doc, '\n'), nil
}
