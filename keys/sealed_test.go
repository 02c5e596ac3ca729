package keys_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/kek"
)

func newKey(t testing.TB) *kek.Key {
	t.Helper()
	k, err := kek.Parse(kek.Generate())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sealedFile returns a new ring that is sealed under a fresh key.
func sealedFile(t testing.TB) keys.Source {
	t.Helper()
	src := keys.Source{Path: filepath.Join(t.TempDir(), "ring.json"), Key: newKey(t), Report: func(error) {}}
	if err := src.Create(t.Context(), newSet(t, keys.JWT)); err != nil {
		t.Fatal(err)
	}
	return src
}

func verifyKey(t testing.TB, src keys.Source) *kek.Key {
	t.Helper()
	text, err := src.VerifyKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k, err := kek.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedRing(t *testing.T) {
	src := sealedFile(t)
	ring, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tok := seal(t, ring)
	exported := filepath.Join(t.TempDir(), "verify.json")
	doc, err := src.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	write(t, exported, doc)
	for name, v := range map[string]keys.Source{
		"an export, with the key":                 {Path: exported, Key: src.Key},
		"an export, with the verify-only key":     {Path: exported, Key: verifyKey(t, src)},
		"the ring itself, with the key":           {Path: src.Path, Key: src.Key},
		"the ring itself, with the verify key":    {Path: src.Path, Key: verifyKey(t, src)},
		"the ring itself, with a new key as well": {Path: src.Path, Key: newKey(t).Or(verifyKey(t, src))},
	} {
		verify, err := v.OpenVerifyOnly(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := verify.Open(tok, session); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := (keys.Source{Path: exported, Key: v.Key}).Open(t.Context()); err == nil {
			t.Errorf("%s: an export became a ring that mints", name)
		}
	}
	if _, err := (keys.Source{Path: src.Path, Key: verifyKey(t, src)}).Open(t.Context()); !errors.Is(err, kek.ErrVerifyOnly) {
		t.Errorf("a ring that mints, from a verify-only key: %v", err)
	}
	if set, err := src.Edit(t.Context(), rotate); err != nil || ring.Reload() != nil || ring.Generation() != set.Generation() {
		t.Errorf("after an edit: %v", err)
	}
}

func TestKeyFromTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring.json")
	err := keys.Source{Path: path}.Create(t.Context(), newSet(t, keys.JWT))
	if err == nil || !strings.Contains(err.Error(), "CARNET_RING_KEY") {
		t.Errorf("a ring in the clear that nobody asked for: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("it was made")
	}
	t.Setenv("CARNET_RING_KEY", kek.Generate())
	if err := (keys.Source{Path: path}).Create(t.Context(), newSet(t, keys.JWT)); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	verify, err := keys.OpenVerifyOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.Open(seal(t, ring), session); err != nil {
		t.Error(err)
	}
}

// What is at rest tells nothing, and can't be exchanged.
func TestWhatIsWrongWithADocument(t *testing.T) {
	src := sealedFile(t)
	first := read(t, src.Path)
	if _, err := src.Edit(t.Context(), rotate); err != nil {
		t.Fatal(err)
	}
	doc := read(t, src.Path)
	words, err := kek.Passphrase("correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	wrongWords, err := kek.Passphrase("correct horse battery stable")
	if err != nil {
		t.Fatal(err)
	}
	withWords := keys.Source{Path: filepath.Join(t.TempDir(), "words.json"), Key: words}
	if err := withWords.Create(t.Context(), newSet(t, keys.JWT)); err != nil {
		t.Fatal(err)
	}
	plain := newFile(t, keys.JWT)
	seen := map[string]string{}
	for _, c := range []struct {
		what string
		doc  []byte
		key  *kek.Key
		want string
	}{
		{"nothing", nil, src.Key, "empty"},
		{"cut", doc[:len(doc)/2], src.Key, "not the JSON"},
		{"damaged", bytes.Replace(doc, []byte(`"generation": 2`), []byte(`"generation": 3`), 1), src.Key, "checksum"},
		{"altered with care", resum(t, doc, `"generation": 2`, `"generation": 3`), src.Key, "altered after it was sealed"},
		{"no key", doc, nil, "it is sealed: set CARNET_RING_KEY"},
		{"another key", doc, newKey(t), "sealed under another key: it takes the one with the id"},
		{"a wrong passphrase", read(t, withWords.Path), wrongWords, "the passphrase is wrong"},
		{"a key for a passphrase", read(t, withWords.Path), src.Key, "it takes a passphrase"},
		{"in the clear", read(t, plain), src.Key, "in the clear"},
	} {
		path := filepath.Join(t.TempDir(), "ring.json")
		write(t, path, c.doc)
		_, err := keys.Source{Path: path, Key: c.key}.Open(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		reason := strings.ReplaceAll(err.Error(), path, "")
		if before, ok := seen[reason]; ok {
			t.Errorf("%s and %s have the same reason: %s", c.what, before, reason)
		}
		seen[reason] = c.what
	}
	ring, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string][]byte{"an older generation": first, "another ring": read(t, sealedWith(t, src.Key))} {
		write(t, src.Path, bad)
		if err := ring.Reload(); err == nil || ring.Generation() != 2 {
			t.Errorf("%s was taken", what)
		}
	}
}

func sealedWith(t *testing.T, k *kek.Key) (path string) {
	src := keys.Source{Path: filepath.Join(t.TempDir(), "ring.json"), Key: k}
	if err := src.Create(t.Context(), newSet(t, keys.JWT)); err != nil {
		t.Fatal(err)
	}
	return src.Path
}

// A thousand flips of a random bit, and cuts at random places.
func TestRandomDamage(t *testing.T) {
	src := sealedFile(t)
	ring, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tok, doc, rng := seal(t, ring), read(t, src.Path), rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		damaged := bytes.Clone(doc)
		at := rng.IntN(len(doc) - 1)
		damaged[at] ^= 1 << rng.IntN(8)
		if equalJSON(damaged, doc) {
			continue // white space
		}
		write(t, src.Path, damaged)
		if ring.Reload() == nil {
			t.Errorf("bit flipped at %d is taken", at)
		}
		write(t, src.Path, doc[:at])
		if ring.Reload() == nil {
			t.Errorf("cut at %d is taken", at)
		}
	}
	if _, err := ring.Open(tok, session); err != nil || ring.Generation() != 1 {
		t.Errorf("the ring lost what it had: %v", err)
	}
}

func TestRewrap(t *testing.T) {
	src := sealedFile(t)
	ring, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next := newKey(t)
	if _, err := src.Rewrap(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if err := ring.Reload(); !errors.Is(err, kek.ErrWrongKey) || ring.Generation() != 1 {
		t.Errorf("a node with the old key: %v", err)
	}
	both := keys.Source{Path: src.Path, Key: next.Or(src.Key)}
	set, err := both.Load(t.Context())
	if err != nil || set.Generation() != 2 || in(t, set, "active").ID != in(t, ring.Set(), "active").ID {
		t.Errorf("a node with both keys: %v", err)
	}
	if _, err := both.Rewrap(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := (keys.Source{Path: src.Path, Plain: true}).Open(t.Context()); err != nil {
		t.Errorf("in the clear: %v", err)
	}
	sealed := keys.Source{Path: src.Path, Plain: true}
	if _, err := sealed.Rewrap(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if set, err := both.Load(t.Context()); err != nil || set.Generation() != 4 {
		t.Errorf("sealed again: %v", err)
	}
}

// No secret is in what is at rest, in any spelling.
func TestNothingAtRest(t *testing.T) {
	src := sealedFile(t)
	if _, err := src.Edit(t.Context(), rotate); err != nil {
		t.Fatal(err)
	}
	sealed := read(t, src.Path)
	exported, err := src.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Rewrap(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	private, sealing := secretsOf(t, read(t, src.Path))
	for _, secret := range append(private, sealing...) {
		if leaks(sealed, secret) || leaks(exported, secret) {
			t.Error("a secret is in the sealed document")
		}
	}
}

// resum alters a document and its checksum.
func resum(t *testing.T, doc []byte, old, new string) []byte {
	t.Helper()
	doc = bytes.Replace(doc, []byte(old), []byte(new), 1)
	start, end := bytes.Index(doc, []byte(`"ring": `)), bytes.LastIndex(doc, []byte("\n}"))
	sum := sha256.Sum256(doc[start+8 : end])
	at := bytes.Index(doc, []byte(`"sha256": "`)) + 11
	copy(doc[at:], base64.RawURLEncoding.EncodeToString(sum[:]))
	return doc
}
