package keys_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystore"
)

// create makes a ring in the clear.
func create(t testing.TB, path string, s *keys.Set) error {
	t.Helper()
	return keys.Source{Path: path, Plain: true}.Create(t.Context(), s)
}

func edit(t testing.TB, path string, change func(*keys.Set) (*keys.Set, error)) (*keys.Set, error) {
	t.Helper()
	return keys.Source{Path: path}.Edit(t.Context(), change)
}

func rotate(s *keys.Set) (*keys.Set, error) { return s.Rotate("", true) }

// newFile returns the path of a new ring.
func newFile(t testing.TB, f keys.Format) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ring.json")
	if err := create(t, path, newSet(t, f)); err != nil {
		t.Fatal(err)
	}
	return path
}

func export(t testing.TB, ring string) string {
	t.Helper()
	r, err := keys.Open(ring)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := r.Set().VerifyOnly()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(ring), "verify.json")
	write(t, path, doc)
	return path
}

func write(t testing.TB, path string, doc []byte) {
	t.Helper()
	if err := os.WriteFile(path, doc, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestFilesRoundTrip(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		path := newFile(t, f)
		if _, err := edit(t, path, rotate); err != nil {
			t.Fatal(err)
		}
		ring, err := keys.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		verify, err := keys.OpenVerifyOnly(export(t, path))
		if err != nil {
			t.Fatal(err)
		}
		if c, err := verify.Open(seal(t, ring), session); err != nil || c.Subject != "alice" {
			t.Errorf("got %v", err)
		}
		if ring.Generation() != 2 || verify.Generation() != 2 {
			t.Errorf("generations %d and %d", ring.Generation(), verify.Generation())
		}
	})
}

func TestCreateKeepsAnExistingFile(t *testing.T) {
	path := newFile(t, keys.JWT)
	before := read(t, path)
	if err := create(t, path, newSet(t, keys.JWT)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the file changed")
	}
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	path := newFile(t, keys.JWT)
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("a new ring has mode %v", info.Mode())
	}
	verify := export(t, path)
	for _, mode := range []fs.FileMode{0o604, 0o640, 0o660, 0o644} {
		os.Chmod(path, mode)
		os.Chmod(verify, mode)
		_, err := keys.Open(path)
		if err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %v: %v", mode, err)
		}
		if _, err := keys.OpenVerifyOnly(verify); err == nil {
			t.Errorf("mode %v: verify-only ring opened", mode)
		}
	}
}

func TestEachOpenRefusesTheOthersFile(t *testing.T) {
	path := newFile(t, keys.JWT)
	if _, err := keys.Open(export(t, path)); err == nil || !strings.Contains(err.Error(), "this is a verify-only ring") {
		t.Errorf("Open of a verify-only ring: %v", err)
	}
	if _, err := keys.OpenVerifyOnly(path); err == nil || !strings.Contains(err.Error(), "carnet export") {
		t.Errorf("OpenVerifyOnly of a ring: %v", err)
	}
}

func TestAFailedEditLeavesTheFile(t *testing.T) {
	path := newFile(t, keys.JWT)
	before := read(t, path)
	_, err := edit(t, path, func(s *keys.Set) (*keys.Set, error) { return s.Rotate("", false) })
	if !errors.Is(err, keys.ErrTooSoon) {
		t.Errorf("got %v", err)
	}
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the file changed")
	}
}

func TestConcurrentEditsFollowEachOther(t *testing.T) {
	path := newFile(t, keys.JWT)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				_, err := edit(t, path, rotate)
				for errors.Is(err, keystore.ErrConflict) {
					_, err = edit(t, path, rotate)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	ring, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if ring.Generation() != 41 || len(ring.Set().Keys()) != 42 {
		t.Errorf("generation %d with %d keys", ring.Generation(), len(ring.Set().Keys()))
	}
	if left, _ := filepath.Glob(path + ".*.tmp"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// Each bit of a document counts, and a reader never panics.
func TestDamagedFilesAreRefused(t *testing.T) {
	path := newFile(t, keys.JWT)
	verify := export(t, path)
	for name, open := range map[string]func(path string) error{
		path:   func(p string) error { _, err := keys.Open(p); return err },
		verify: func(p string) error { _, err := keys.OpenVerifyOnly(p); return err },
	} {
		doc := read(t, name)
		for i := 0; i < len(doc)-1; i += 7 { // the last byte is a line feed
			damaged := bytes.Clone(doc)
			damaged[i] ^= 1 << (i % 8)
			if equalJSON(damaged, doc) {
				continue // white space
			}
			write(t, name, damaged)
			if open(name) == nil {
				t.Errorf("%s: bit flipped at %d is taken", filepath.Base(name), i)
			}
			write(t, name, doc[:i])
			if open(name) == nil {
				t.Errorf("%s: cut at %d is taken", filepath.Base(name), i)
			}
		}
	}
}

func equalJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func TestReloadKeepsTheOldKeysWhenTheFileIsBad(t *testing.T) {
	path := newFile(t, keys.JWT)
	if _, err := edit(t, path, rotate); err != nil {
		t.Fatal(err)
	}
	verifyPath := export(t, path)
	ring, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	verify, err := keys.OpenVerifyOnly(verifyPath)
	if err != nil {
		t.Fatal(err)
	}
	tok := seal(t, ring)

	other := newFile(t, keys.JWT)
	older := ring.Set()
	if _, err := edit(t, path, rotate); err != nil {
		t.Fatal(err)
	}
	if ring.Reload() != nil || ring.Generation() != older.Generation()+1 {
		t.Fatal("a good file was not loaded")
	}
	export(t, path)
	if verify.Reload() != nil || verify.Generation() != ring.Generation() {
		t.Fatal("a good verify-only file was not loaded")
	}
	rollback := filepath.Join(t.TempDir(), "old.json")
	if err := create(t, rollback, older); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][2][]byte{
		"empty":               {nil, nil},
		"cut":                 {read(t, path)[:200], read(t, verifyPath)[:200]},
		"another ring":        {read(t, other), read(t, export(t, other))},
		"an older generation": {read(t, rollback), read(t, export(t, rollback))},
	} {
		write(t, path, bad[0])
		write(t, verifyPath, bad[1])
		if err := ring.Reload(); err == nil {
			t.Errorf("%s: ring loaded", name)
		}
		if err := verify.Reload(); err == nil {
			t.Errorf("%s: verify-only ring loaded", name)
		}
	}
	os.Remove(path)
	if ring.Reload() == nil {
		t.Error("a missing file was loaded")
	}
	for _, o := range []interface{ Generation() uint64 }{ring, verify} {
		if o.Generation() != older.Generation()+1 {
			t.Errorf("%v lost its keys", o)
		}
	}
	if _, err := ring.Open(tok, session); err != nil {
		t.Error(err)
	}
	if _, err := verify.Open(tok, session); err != nil {
		t.Error(err)
	}
}

// No private key in what leaves the machine, nor in what a program prints.
func TestSecretsStayInTheRing(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		path := newFile(t, f)
		ring, err := keys.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		exported := read(t, export(t, path))
		verify, err := keys.OpenVerifyOnly(export(t, path))
		if err != nil {
			t.Fatal(err)
		}
		private, sealing := secretsOf(t, read(t, path))
		if len(private) != 2 || len(sealing) != 2 {
			t.Fatalf("found %d and %d secrets in the ring", len(private), len(sealing))
		}
		for _, secret := range private {
			if leaks(exported, secret) {
				t.Error("the verify-only file has a private key")
			}
		}
		nested := struct {
			r *keys.Ring
			s *keys.Set
			v *keys.VerifyRing
		}{ring, ring.Set(), verify}
		for _, v := range []any{ring, ring.Set(), verify, ring.Set().Keys(), nested, &nested} {
			for _, out := range printed(v) {
				for _, secret := range append(private, sealing...) {
					if leaks([]byte(out), secret) {
						t.Errorf("%T prints a secret: %s", v, out)
					}
				}
			}
		}
	})
}

func printed(v any) []string {
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		out = append(out, fmt.Sprintf(verb, v))
	}
	if doc, err := json.Marshal(v); err == nil {
		out = append(out, string(doc))
	}
	return out
}

// secretsOf reads the secrets out of a ring file, as its format says.
func secretsOf(t *testing.T, doc []byte) (private, sealing [][]byte) {
	t.Helper()
	var d struct {
		Ring struct{ Keys []struct{ Seal, Sign []byte } }
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	for _, k := range d.Ring.Keys {
		private, sealing = append(private, k.Sign), append(sealing, k.Seal)
	}
	return private, sealing
}

// leaks looks for any eight bytes of secret in out, in the usual spellings.
func leaks(out, secret []byte) bool {
	for i := 0; i+8 <= len(secret); i++ {
		part := secret[i : i+8]
		spellings := []string{string(part), fmt.Sprintf("%x", part), fmt.Sprintf("%X", part),
			strings.Trim(fmt.Sprint(part), "[]"), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte{"), "}")}
		for _, s := range spellings {
			if bytes.Contains(out, []byte(s)) {
				return true
			}
		}
	}
	doc, _ := json.Marshal(secret)
	return bytes.Contains(out, bytes.Trim(doc, `"=`))
}
