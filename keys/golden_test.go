package keys_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/audit"
	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/token"
)

// The golden files are a promise: each future version reads them, and each one
// of this version writes them so. They were made from the description in
// docs/format.md alone.

// golden opens a golden ring, and its verify-only half.
func golden(t *testing.T, f keys.Format) (*keys.Ring, *keys.VerifyRing) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ring.json")
	verifyPath := filepath.Join(t.TempDir(), "verify.json")
	write(t, path, goldenFile(t, f, "ring.json"))
	write(t, verifyPath, goldenFile(t, f, "verify-only.json"))
	ring, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	verify, err := keys.OpenVerifyOnly(verifyPath)
	if err != nil {
		t.Fatal(err)
	}
	return ring, verify
}

func goldenFile(t *testing.T, f keys.Format, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/golden", string(f), name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenRingsAreRead(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		ring, verify := golden(t, f)
		set := ring.Set()
		if set.Generation() != 3 || verify.Generation() != 3 || len(set.Keys()) != 4 {
			t.Errorf("generations %d and %d, %d keys", set.Generation(), verify.Generation(), len(set.Keys()))
		}
		if want := (keys.Policy{Spread: 10 * time.Minute, TokenLife: 31 * 24 * time.Hour}); set.Policy() != want {
			t.Errorf("the policy is %v", set.Policy())
		}
		if err := audit.Check(set.Record(), 3); err != nil {
			t.Error(err)
		}
		revoked := in(t, set, "revoked")
		if at := time.Date(1999, 12, 21, 12, 34, 56, 0, time.UTC); revoked.RevokedAt != at || revoked.Format != f {
			t.Errorf("the revoked key is %v", revoked)
		}
	})
}

func TestGoldenRingsAreWritten(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		ring, _ := golden(t, f)
		path := filepath.Join(t.TempDir(), "again.json")
		if err := create(t, path, ring.Set()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(read(t, path), goldenFile(t, f, "ring.json")) {
			t.Error("the ring is written in another way")
		}
		doc, err := ring.Set().VerifyOnly()
		if err != nil || !bytes.Equal(doc, goldenFile(t, f, "verify-only.json")) {
			t.Errorf("the verify-only ring is written in another way: %v", err)
		}
		if f != keys.JWT {
			return
		}
		doc, err = ring.Set().JWKS()
		if err != nil || !bytes.Equal(doc, goldenFile(t, f, "jwks.json")) {
			t.Errorf("the JWK set is written in another way: %v", err)
		}
	})
}

func TestGoldenSealedRingsAreRead(t *testing.T) {
	sum := sha256.Sum256([]byte("carnet golden kek"))
	raw, err := kek.New(sum[:])
	if err != nil {
		t.Fatal(err)
	}
	words, err := kek.Passphrase("correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		for name, key := range map[string]*kek.Key{"sealed.json": raw, "sealed-passphrase.json": words} {
			path := filepath.Join(t.TempDir(), name)
			write(t, path, goldenFile(t, f, name))
			src := keys.Source{Path: path, Key: key}
			set, err := src.Load(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if doc, err := set.VerifyOnly(); err != nil || !bytes.Equal(doc, goldenFile(t, f, "verify-only.json")) {
				t.Errorf("%s holds another ring: %v", name, err)
			}
			src.Key = key.ForVerifyOnly()
			if verify, err := src.OpenVerifyOnly(t.Context()); err != nil || verify.Generation() != 3 {
				t.Errorf("%s: the verify-only ring: %v", name, err)
			}
		}
	})
}

// The tokens were issued at the moment at which the clock of a bubble begins.
func TestGoldenTokensAreRead(t *testing.T) {
	type person struct {
		Name  string
		Score float64
	}
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		ring, verify := golden(t, f)
		synctest.Test(t, func(t *testing.T) {
			for name, want := range map[string]error{
				"session-active": nil, "session-retired": nil, "session-pre-published": nil,
				"session-revoked": keys.ErrRevokedKey, "refresh-active": token.ErrInvalid, "challenge-active": token.ErrInvalid,
			} {
				tok := string(goldenFile(t, f, name+".token"))
				for _, o := range []token.Opener{ring, verify} {
					s, err := token.NewVerifier[person](o, token.Config{Issuer: "example.com", Audience: "web"}).Verify(tok)
					if !errors.Is(err, want) {
						t.Errorf("%s: got %v", name, err)
					}
					if want == nil && err == nil && (!isGolden(s.Claims) || s.Data() != person{"Alice", 12345678901234567890.10}) {
						t.Errorf("%s: other claims: %s", name, s.Raw)
					}
				}
			}
		})
	})
}

func TestGoldenTokensOfOtherPurposes(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		ring, verify := golden(t, f)
		for _, p := range []token.Purpose{token.PurposeRefresh, token.PurposeChallenge} {
			for _, o := range []token.Opener{ring, verify} {
				b := token.Binding{Purpose: p, Issuer: "example.com", Audience: "web"}
				c, err := o.Open(string(goldenFile(t, f, string(p)+"-active.token")), b)
				if err != nil || c.Purpose != p || !isGolden(c) {
					t.Errorf("%s: got %v", p, err)
				}
			}
		}
	})
}

// isGolden compares with what internal/golden writes.
func isGolden(c token.Claims) bool {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return c.Issuer == "example.com" && c.Audience == "web" && c.Subject == "alice" &&
		c.SessionID == "c2Vzc2lvbiBvZiB0aGUgZ29sZA" && c.ID == "dG9rZW4gb2YgdGhlIGdvbGQuLg" &&
		c.StartedAt == start.Add(123456*time.Microsecond-time.Second) && c.IssuedAt == start &&
		c.ExpiresAt == start.Add(30*time.Minute) && c.EndsAt == start.Add(12*time.Hour-time.Second) &&
		c.Raw == `{"Name":"Alice","Score":12345678901234567890.10}`
}
