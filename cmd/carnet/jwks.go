package main

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json"

	"github.com/carnet-go/carnet/keys"
)

// jwks makes the JWK set of a ring and says on log what is not in it.
func jwks(log io.Writer, s *keys.Set, p place) ([]byte, error) {
	doc, err := s.JWKS()
	if err != nil {
		return nil, advise(err, "hand out the verify-only ring, or move the ring to JWT with: carnet rotate --format jwt %s", p.shell())
	}
	for _, k := range s.Keys() {
		if k.Format == keys.PASETO && k.RevokedAt.IsZero() {
			fmt.Fprintf(log, "note: left out %s key %s: a PASETO key has no form as a JWK\n", k.State, k.ID)
		}
	}
	return doc, nil
}

// mayReplaceJWKS refuses to write over what is no JWK set, or one with a key that
// this ring does not have: it is newer, or of another ring.
func mayReplaceJWKS(old []byte, s *keys.Set) error {
	var set struct {
		Keys []struct {
			Type string `json:"kty"`
			ID   string `json:"kid"`
		} `json:"keys"`
	}
	if json.Unmarshal(old, &set) != nil || len(set.Keys) == 0 {
		return notAn("JWK set")
	}
	for _, k := range set.Keys {
		if k.Type == "" {
			return notAn("JWK set")
		}
	}
	newest := set.Keys[len(set.Keys)-1].ID
	if _, ok := index(s)[newest]; !ok {
		return advise(fmt.Errorf("it has the key %.40q, which this ring has not", newest), "use the newest ring, choose another name, or remove the file first")
	}
	return nil
}
