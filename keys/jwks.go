package keys

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A jwk is one half of a JWT key: the sealing secret (RFC 7518 section 6.4) or
// the public signing key (RFC 8037 section 2), under the same kid.
type jwk struct {
	Type   string `json:"kty"`
	Curve  string `json:"crv,omitzero"`
	ID     string `json:"kid"`
	Use    string `json:"use"`
	Alg    string `json:"alg"`
	X      string `json:"x,omitzero"`
	Secret string `json:"k,omitzero"`
}

// JWKS returns the verify-only half of the JWT keys as a JWK set (RFC 7517
// section 5), for services in other languages. As [Set.VerifyOnly] it holds no
// private key, but whoever has it can read every token: it must not be served to
// the public. PASETO keys have no such form and are left out, as are revoked
// ones; a set that has no others is an error.
func (s *Set) JWKS() ([]byte, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range s.keys {
		if k.Format != JWT || k.secrets == nil {
			continue
		}
		set.Keys = append(set.Keys,
			jwk{Type: "oct", ID: k.ID, Use: "enc", Alg: "dir", Secret: b64(k.seal[:])},
			jwk{Type: "OKP", Curve: "Ed25519", ID: k.ID, Use: "sig", Alg: "EdDSA", X: b64(k.Public)})
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("write JWK set: the ring has no JWT key, and a PASETO key has no form as a JWK")
	}
	doc, err := json.Marshal(set, jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("write JWK set: %w", err)
	}
	return append(doc, '\n'), nil
}
