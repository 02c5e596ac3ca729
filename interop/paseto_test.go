package interop

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"testing"

	"aidanwoods.dev/go-paseto"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// assertion is the implicit assertion of a session token: what docs/format.md
// says, written once more.
func assertion(issuer, audience string) []byte {
	pieces := []string{"carnet/v1", "session", issuer, audience}
	pae := binary.LittleEndian.AppendUint64(nil, uint64(len(pieces)))
	for _, p := range pieces {
		pae = binary.LittleEndian.AppendUint64(pae, uint64(len(p)))
		pae = append(pae, p...)
	}
	return pae
}

// exported finds a key in a verify-only document.
func exported(t *testing.T, set *keys.Set, id string) (seal paseto.V4SymmetricKey, pub paseto.V4AsymmetricPublicKey) {
	t.Helper()
	doc, err := set.VerifyOnly()
	if err != nil {
		t.Fatal(err)
	}
	k, ok := findKey(t, doc, func(k fileKey) bool { return k.ID == id })
	if !ok {
		t.Fatalf("no key %q is exported", id)
	}
	if k.Sign != nil {
		t.Fatal("a private key is exported")
	}
	if seal, err = paseto.V4SymmetricKeyFromBytes(k.Seal); err != nil {
		t.Fatal(err)
	}
	if pub, err = paseto.NewV4AsymmetricPublicKeyFromBytes(k.Public); err != nil {
		t.Fatal(err)
	}
	return seal, pub
}

func TestGoPasetoOpensOurs(t *testing.T) {
	set, ring := newSet(t, keys.PASETO)
	tok, issued := issue(t, ring)
	footer, err := paseto.NewParser().UnsafeParseFooter(paseto.V4Local, tok)
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Kid string }
	if err := json.Unmarshal(footer, &f); err != nil {
		t.Fatal(err)
	}
	seal, pub := exported(t, set, f.Kid)
	outer, err := paseto.NewParserWithoutExpiryCheck().ParseV4Local(seal, tok, assertion("example.com", "web"))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := outer.GetString("token")
	if err != nil {
		t.Fatal(err)
	}
	parser := paseto.NewParser()
	parser.AddRule(paseto.IssuedBy("example.com"), paseto.ForAudience("web"))
	got, err := parser.ParseV4Public(pub, inner, assertion("example.com", "web"))
	if err != nil {
		t.Fatal(err)
	}
	checkToken(t, got, issued)
	if _, err := paseto.NewParserWithoutExpiryCheck().ParseV4Local(seal, tok, assertion("example.com", "api")); err == nil {
		t.Error("it opens for another audience")
	}
	if _, err := parser.ParseV4Public(pub, inner, nil); err == nil {
		t.Error("the signature holds without the assertion")
	}
}

func checkToken(t *testing.T, got *paseto.Token, issued *token.Session[user]) {
	t.Helper()
	for name, want := range map[string]string{
		"iss": issued.Issuer, "aud": issued.Audience, "sub": issued.Subject, "sid": issued.SessionID, "jti": issued.ID,
	} {
		if s, err := got.GetString(name); err != nil || s != want {
			t.Errorf("%s is %q (%v), want %q", name, s, err, want)
		}
	}
	if at, err := got.GetExpiration(); err != nil || !at.Equal(issued.ExpiresAt) {
		t.Errorf("exp is %v (%v), want %v", at, err, issued.ExpiresAt)
	}
	var data user
	if err := got.Get("data", &data); err != nil || data != issued.Data() {
		t.Errorf("data is %v (%v)", data, err)
	}
}

// theirPaseto is a token of go-paseto, written with the keys of a minting node.
func theirPaseto(t *testing.T, k fileKey, issued *token.Session[user], innerAssertion, outerAssertion []byte) string {
	t.Helper()
	const second = "2006-01-02T15:04:05Z"
	claims := paseto.NewToken()
	for name, value := range map[string]any{
		"iss": issued.Issuer, "aud": issued.Audience, "sub": "bob", "sid": issued.SessionID, "jti": issued.ID,
		"iat": issued.IssuedAt.Format(second), "exp": issued.ExpiresAt.Format(second), "ends": issued.EndsAt.Format(second),
		"auth_time": issued.StartedAt.Format("2006-01-02T15:04:05.000000Z"), "data": user{"Bob"},
	} {
		if err := claims.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	sign, err := paseto.NewV4AsymmetricSecretKeyFromEd25519(ed25519.NewKeyFromSeed(k.Sign))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := paseto.V4SymmetricKeyFromBytes(k.Seal)
	if err != nil {
		t.Fatal(err)
	}
	outer := paseto.NewToken()
	outer.SetString("token", claims.V4Sign(sign, innerAssertion))
	outer.SetFooter([]byte(`{"kid":"` + k.ID + `"}`))
	return outer.V4Encrypt(seal, outerAssertion)
}

func TestWeOpenGoPaseto(t *testing.T) {
	path, ring := newFile(t, keys.PASETO)
	_, issued := issue(t, ring)
	k := active(t, path)
	good, other := assertion("example.com", "web"), assertion("example.com", "api")
	checkTheirs(t, ring, theirPaseto(t, k, issued, good, good))
	verifier := token.NewVerifier[user](ring, config)
	for name, tok := range map[string]string{
		"inner assertion of another audience": theirPaseto(t, k, issued, other, good),
		"outer assertion of another audience": theirPaseto(t, k, issued, good, other),
		"no inner assertion":                  theirPaseto(t, k, issued, nil, good),
		"no outer assertion":                  theirPaseto(t, k, issued, good, nil),
	} {
		if _, err := verifier.Verify(tok); err != token.ErrInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
