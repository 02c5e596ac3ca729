package main

import (
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"

	"github.com/carnet-go/carnet/keys"
)

// jwks makes the JWK set of a ring and says on log what is not in it.
func jwks(log io.Writer, s *keys.Set, path string) ([]byte, error) {
	doc, err := s.JWKS()
	if err != nil {
		return nil, advise(err, "hand out the verify-only ring, or move the ring to JWT with: carnet rotate --format jwt %s", shell(path))
	}
	for _, k := range s.Keys() {
		if k.Format == keys.PASETO && k.RevokedAt.IsZero() {
			fmt.Fprintf(log, "note: left out %s key %s: a PASETO key has no form as a JWK\n", k.State, k.ID)
		}
	}
	return doc, nil
}

// isJWKS reports whether a file holds a JWK set and nothing else.
func isJWKS(path string) bool {
	doc, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var set struct {
		Keys []struct {
			Type string `json:"kty"`
		} `json:"keys"`
	}
	if json.Unmarshal(doc, &set) != nil || len(set.Keys) == 0 {
		return false
	}
	for _, k := range set.Keys {
		if k.Type == "" {
			return false
		}
	}
	return true
}
