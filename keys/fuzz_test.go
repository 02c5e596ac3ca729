package keys

import (
	"bytes"
	"crypto/fips140"
	"crypto/sha256"
	"os"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys/kek"
)

func seedDocuments(f *testing.F, marshal func(*Set) ([]byte, error)) {
	next := PASETO
	if fips140.Enforced() {
		next = JWT // there is no other
	}
	s, err := NewSet(JWT, Policy{})
	if err != nil {
		f.Fatal(err)
	}
	for range 3 {
		doc, err := marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
		f.Add(doc[:len(doc)/2])
		if s, err = s.Rotate(next, true); err != nil {
			f.Fatal(err)
		}
	}
	for _, name := range []string{"ring", "verify-only", "sealed"} {
		seedGolden(f, name)
	}
	f.Add([]byte(`{"kind":"carnet ring","version":1,"sha256":"","ring":{}}`))
	f.Add([]byte(`{"kind":"carnet verify-only ring","version":1,"sha256":"","ring":{}}`))
}

// seedGolden adds the golden files of that name.
func seedGolden(f *testing.F, name string) {
	for _, format := range []Format{JWT, PASETO} {
		doc, err := os.ReadFile("testdata/golden/" + string(format) + "/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
}

// fixSum makes the fuzzer reach what is behind the checksum.
func fixSum(doc []byte) []byte {
	start := bytes.Index(doc, []byte(`"ring": `))
	end := bytes.LastIndexByte(doc, '\n')
	sum := bytes.Index(doc, []byte(`"sha256": "`))
	if start < 0 || sum < 0 || end < start+9 || sum+11+43 > start {
		return doc
	}
	ring := bytes.TrimSuffix(doc[start+8:end], []byte("\n}"))
	fixed := bytes.Clone(doc)
	copy(fixed[sum+11:], checksum(ring))
	return fixed
}

func parseSet(doc []byte) (*Set, error) {
	r, err := parse(doc, kindRing)
	if err != nil {
		return nil, err
	}
	return r.set()
}

func FuzzRingDocument(f *testing.F) {
	seedDocuments(f, (*Set).marshal)
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, doc := range [][]byte{doc, fixSum(doc)} {
			s, err := parseSet(doc)
			if err != nil {
				continue
			}
			if _, err := newSnapshot(s, nil); err != nil {
				t.Fatalf("a ring that was read can't be used: %v", err)
			}
			again, err := s.marshal()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parseSet(again); err != nil {
				t.Fatalf("a ring that was written can't be read: %v", err)
			}
		}
	})
}

func FuzzVerifyOnlyDocument(f *testing.F) {
	seedDocuments(f, (*Set).VerifyOnly)
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, doc := range [][]byte{doc, fixSum(doc)} {
			r, err := parse(doc, kindVerifyOnly)
			if err != nil {
				continue
			}
			if tab, err := r.table(); err == nil && len(tab.openers) < 2 {
				t.Fatal("a ring without an active and a pre-published key")
			}
		}
	})
}

// FuzzSealedDocument reads rings at rest with the key of the golden ones. What
// opens must say what one of them says.
func FuzzSealedDocument(f *testing.F) {
	sum := sha256.Sum256([]byte("carnet golden kek"))
	key, err := kek.New(sum[:])
	if err != nil {
		f.Fatal(err)
	}
	seedGolden(f, "sealed")
	seedGolden(f, "sealed-passphrase")
	seedGolden(f, "ring")
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, doc := range [][]byte{doc, fixSum(doc)} {
			for _, kind := range []string{kindRing, kindVerifyOnly} {
				if _, r, err := unseal(doc, key, kind); err == nil && (!strings.HasPrefix(r.Name, "GOLDEN") || r.Generation != 3) {
					t.Errorf("%q of generation %d was opened", r.Name, r.Generation)
				}
			}
		}
	})
}
