package keys_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys"
)

// altered returns a ring file with other text in it and a checksum that fits.
func altered(t *testing.T, doc []byte, change func(ring string) string) []byte {
	t.Helper()
	before, ring, ok := strings.Cut(string(doc), `"ring": `)
	ring = change(strings.TrimSuffix(ring, "\n}\n"))
	sum := sha256.Sum256([]byte(ring))
	before = regexp.MustCompile(`"sha256": "[^"]*"`).ReplaceAllString(before,
		`"sha256": "`+base64.RawURLEncoding.EncodeToString(sum[:])+`"`)
	if !ok {
		t.Fatal("there is no ring in the document")
	}
	return []byte(before + `"ring": ` + ring + "\n}\n")
}

func member(name string, value []byte) string {
	return fmt.Sprintf("%q: %q", name, base64.StdEncoding.EncodeToString(value))
}

// A ring takes no secret that a person has made up.
func TestWeakSecretsAreRefused(t *testing.T) {
	path := newFile(t, keys.JWT)
	doc := read(t, path)
	private, sealing := secretsOf(t, doc)
	counting := make([]byte, 32)
	for i := range counting {
		counting[i] = byte(0x70 + i)
	}
	down := bytes.Clone(counting)
	for i := range down {
		down[i] = byte(0x8f - i)
	}
	for name, secret := range map[string][]byte{
		"zeros":             make([]byte, 32),
		"ones":              bytes.Repeat([]byte{0xff}, 32),
		"one byte":          bytes.Repeat([]byte{0x6b}, 32),
		"two bytes":         bytes.Repeat([]byte{1, 2}, 16),
		"eight bytes":       bytes.Repeat([]byte("password"), 4),
		"counting":          counting, // the key of the PASETO vectors
		"counting down":     down,
		"letters":           []byte("abcdefghijklmnopqrstuvwxyzabcdef"),
		"zeros, then a one": append(make([]byte, 31), 1),
	} {
		t.Run(name, func(t *testing.T) {
			pub := ed25519.NewKeyFromSeed(secret).Public().(ed25519.PublicKey)
			for what, change := range map[string]func(ring string) string{
				"sealing": func(ring string) string {
					return strings.Replace(ring, member("seal", sealing[0]), member("seal", secret), 1)
				},
				"signing": func(ring string) string {
					oldPub := ed25519.NewKeyFromSeed(private[0]).Public().(ed25519.PublicKey)
					ring = strings.Replace(ring, member("public", oldPub), member("public", pub), 1)
					return strings.Replace(ring, member("sign", private[0]), member("sign", secret), 1)
				},
			} {
				write(t, path, altered(t, doc, change))
				if _, err := keys.Open(path); err == nil || !strings.Contains(err.Error(), "not made at random") {
					t.Errorf("as a %s secret: %v", what, err)
				}
			}
		})
	}
}

// One secret can't stand in for the other, nor one key's for another's.
func TestSecretsInTheWrongPlaceAreRefused(t *testing.T) {
	path := newFile(t, keys.JWT)
	doc := read(t, path)
	private, sealing := secretsOf(t, doc)
	swap := func(ring, a, b string) string { return strings.NewReplacer(a, b, b, a).Replace(ring) }
	text := base64.StdEncoding.EncodeToString
	for name, change := range map[string]func(ring string) string{
		"sealing and signing": func(ring string) string { return swap(ring, text(sealing[0]), text(private[0])) },
		"two sealing secrets": func(ring string) string { return swap(ring, text(sealing[0]), text(sealing[1])) },
		"two signing keys":    func(ring string) string { return swap(ring, text(private[0]), text(private[1])) },
		"two states":          func(ring string) string { return swap(ring, `"active"`, `"retired"`) },
		"the other format":    func(ring string) string { return strings.ReplaceAll(ring, `"jwt"`, `"paseto"`) },
	} {
		write(t, path, altered(t, doc, change))
		if _, err := keys.Open(path); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	write(t, path, altered(t, doc, func(ring string) string { return ring }))
	if _, err := keys.Open(path); err != nil {
		t.Errorf("unaltered: %v", err)
	}
}

// The key that a token names is the only one that is tried.
func TestNoOtherKeyIsTried(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		tok, active := seal(t, ring), in(t, ring.Set(), "active")
		for _, k := range ring.Set().Keys() {
			_, err := ring.Open(relabel(t, tok, active.ID, k.ID), session)
			if (err == nil) != (k.ID == active.ID) {
				t.Errorf("under the id of the %s key: %v", k.State, err)
			}
		}
	})
}
