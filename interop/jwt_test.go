// Package interop checks carnet's tokens against libraries that nobody here
// wrote. It is a module of its own, so that none of them reaches carnet's users.
package interop

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

type user struct{ Name string }

var config = token.Config{Issuer: "example.com", Audience: "web"}

func newSet(t *testing.T, f keys.Format) (*keys.Set, *keys.Ring) {
	t.Helper()
	set, err := keys.NewSet(f, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	return set, ring
}

func issue(t *testing.T, ring *keys.Ring) (string, *token.Session[user]) {
	t.Helper()
	tok, s, err := token.NewIssuer[user](ring, config).Issue("alice", user{"Alice"})
	if err != nil {
		t.Fatal(err)
	}
	return tok, s
}

func jwks(t *testing.T, set *keys.Set) []byte {
	t.Helper()
	doc, err := set.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// halves finds the two JWKs of a kid.
func halves(t *testing.T, doc []byte, kid string) (seal []byte, pub ed25519.PublicKey) {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(doc, &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Key(kid) {
		switch key := k.Key.(type) {
		case []byte:
			seal = key
		case ed25519.PublicKey:
			pub = key
		}
	}
	if seal == nil || pub == nil {
		t.Fatalf("the JWK set lacks a half of %s", kid)
	}
	return seal, pub
}

func TestGoJoseOpensOurs(t *testing.T) {
	set, ring := newSet(t, keys.JWT)
	tok, issued := issue(t, ring)
	envelope, err := jose.ParseEncryptedCompact(tok, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		t.Fatal(err)
	}
	seal, pub := halves(t, jwks(t, set), envelope.Header.KeyID)
	inner, err := envelope.Decrypt(seal)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(string(inner), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(pub)
	if err != nil {
		t.Fatal(err)
	}
	checkClaims(t, payload, issued)
}

func checkClaims(t *testing.T, payload []byte, issued *token.Session[user]) {
	t.Helper()
	var c struct {
		Iss, Aud, Sub, Sid, Jti string
		Iat, Exp                int64
		Data                    user
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	if c.Iss != issued.Issuer || c.Aud != issued.Audience || c.Sub != issued.Subject || c.Sid != issued.SessionID ||
		c.Jti != issued.ID || c.Iat != issued.IssuedAt.Unix() || c.Exp != issued.ExpiresAt.Unix() || c.Data != issued.Data() {
		t.Errorf("other claims than were issued: %s", payload)
	}
}

func TestJwxOpensOurs(t *testing.T) {
	set, ring := newSet(t, keys.JWT)
	tok, issued := issue(t, ring)
	kid := envelopeKid(t, tok)
	seal, pub := halves(t, jwks(t, set), kid)
	inner, err := jwe.Decrypt([]byte(tok), jwe.WithKey(jwa.DIRECT(), seal))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.Parse(inner, jwt.WithKey(jwa.EdDSA(), pub),
		jwt.WithIssuer(config.Issuer), jwt.WithAudience(config.Audience))
	if err != nil {
		t.Fatal(err)
	}
	if sub, _ := parsed.Subject(); sub != issued.Subject {
		t.Errorf("subject %q", sub)
	}
}

func envelopeKid(t *testing.T, tok string) string {
	t.Helper()
	msg, err := jwe.Parse([]byte(tok))
	if err != nil {
		t.Fatal(err)
	}
	kid, ok := msg.ProtectedHeaders().KeyID()
	if !ok {
		t.Fatal("no kid")
	}
	return kid
}

// theirs is what the issuer's claims look like in another library's hands.
func theirs(issued *token.Session[user]) []byte {
	now := time.Now()
	payload, _ := json.Marshal(map[string]any{
		"iss": issued.Issuer, "aud": issued.Audience, "sub": "bob", "sid": issued.SessionID, "jti": issued.ID,
		"auth_us": now.UnixMicro(), "iat": now.Unix(), "exp": now.Unix() + 600, "end": now.Unix() + 3600,
		"data": user{"Bob"},
	})
	return payload
}

// A fileKey is a key in a ring file or in a verify-only one.
type fileKey struct {
	ID, State          string
	Public, Seal, Sign []byte
}

func findKey(t *testing.T, doc []byte, match func(fileKey) bool) (fileKey, bool) {
	t.Helper()
	var file struct{ Ring struct{ Keys []fileKey } }
	if err := json.Unmarshal(doc, &file); err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(file.Ring.Keys, match); i >= 0 {
		return file.Ring.Keys[i], true
	}
	return fileKey{}, false
}

// active returns a ring's active key with its secrets, out of its file.
func active(t *testing.T, path string) fileKey {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	k, ok := findKey(t, doc, func(k fileKey) bool { return k.State == "active" })
	if !ok {
		t.Fatal("no active key")
	}
	return k
}

func newFile(t *testing.T, f keys.Format) (path string, ring *keys.Ring) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ring.json")
	set, _ := newSet(t, f)
	if err := (keys.Source{Path: path, Plain: true}).Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, ring
}

func checkTheirs(t *testing.T, ring *keys.Ring, tok string) {
	t.Helper()
	s, err := token.NewVerifier[user](ring, config).Verify(tok)
	if err != nil {
		t.Fatal(err)
	}
	if s.Subject != "bob" || s.Data().Name != "Bob" {
		t.Errorf("subject %q, data %v", s.Subject, s.Data())
	}
}

func TestWeOpenGoJose(t *testing.T) {
	path, ring := newFile(t, keys.JWT)
	_, issued := issue(t, ring)
	k := active(t, path)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: ed25519.NewKeyFromSeed(k.Sign)},
		(&jose.SignerOptions{}).WithType("session+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(theirs(issued))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: k.Seal, KeyID: k.ID},
		(&jose.EncrypterOptions{}).WithContentType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := encrypter.Encrypt([]byte(inner))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := envelope.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	checkTheirs(t, ring, tok)
}

func TestWeOpenJwx(t *testing.T) {
	path, ring := newFile(t, keys.JWT)
	_, issued := issue(t, ring)
	k := active(t, path)
	signed := jws.NewHeaders()
	signed.Set("typ", "session+jwt")
	inner, err := jws.Sign(theirs(issued), jws.WithKey(jwa.EdDSA(), ed25519.NewKeyFromSeed(k.Sign), jws.WithProtectedHeaders(signed)))
	if err != nil {
		t.Fatal(err)
	}
	header := jwe.NewHeaders()
	header.Set("cty", "JWT")
	header.Set("kid", k.ID)
	tok, err := jwe.Encrypt(inner, jwe.WithKey(jwa.DIRECT(), k.Seal), jwe.WithContentEncryption(jwa.A256GCM()),
		jwe.WithProtectedHeaders(header))
	if err != nil {
		t.Fatal(err)
	}
	checkTheirs(t, ring, string(tok))
}
