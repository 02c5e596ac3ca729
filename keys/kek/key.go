// Package kek has the key-encryption key that seals a key ring at rest.
//
// A program need not use it: a ring that is opened without a key takes the one
// that its environment names, see [FromEnv]. Use [New] or [Passphrase] for a key
// that comes from elsewhere, for example from a secret manager.
//
// From a key follows a verify-only key, [Key.VerifyOnly]. It opens the half of a
// sealed document that reads tokens, and not the half that mints them. So a node
// that only verifies may have the whole document, and can't mint. That half is signed
// as well, with a key that follows from the key itself: who has the verify-only key
// could seal one of his own, and nobody would believe it.
package kek

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"unicode"

	"github.com/carnet-go/carnet/keys/keystore"
)

// Errors about a document and a key that do not fit together.
var (
	// ErrWrongKey is a document that was sealed under another key or passphrase.
	ErrWrongKey = errors.New("sealed under another key")

	// ErrVerifyOnly is a verify-only key for something that takes the key itself.
	ErrVerifyOnly = errors.New("a verify-only key opens no ring that can mint")
)

// A Key seals documents and opens them. It is safe for concurrent use, and prints
// without its secret.
type Key struct {
	_       [0]func() // two of them can't be compared by ==
	secrets []*secret // the first seals; all open
	fips    bool
}

// A secret is what somebody remembers or keeps in a file.
type secret struct {
	raw        []byte            // 32 random bytes, or the root of a verify-only key
	passphrase string            // if raw is nil
	public     ed25519.PublicKey // of a verify-only key: what documents are signed with

	mu      sync.Mutex
	derived map[string][]byte // from the passphrase, by way and salt
}

// New returns the key that is these 32 bytes. They must be random.
func New(key []byte) (*Key, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("a key-encryption key has 32 bytes, not %d", len(key))
	}
	return keyOf(&secret{raw: append([]byte(nil), key...)}), nil
}

// minPassphrase in bytes is a floor under slips. Whoever has a sealed document can
// try passphrases for as long as he likes: use several random words.
const minPassphrase = 12

// Passphrase returns the key that follows from a passphrase: by argon2id with 3
// passes over 64 MiB in 4 lanes (RFC 9106 section 4, the second recommendation),
// which takes half a second once for each document and process. In a process
// where [crypto/fips140.Enforced] holds it is PBKDF2 with 600,000 rounds of
// HMAC-SHA-256, which is weaker: prefer [New] there.
func Passphrase(p string) (*Key, error) {
	if len(p) < minPassphrase {
		return nil, fmt.Errorf("a passphrase has at least %d characters: use several random words", minPassphrase)
	}
	return keyOf(&secret{passphrase: p}), nil
}

// Generate returns the text of a fresh key, for [Parse].
func Generate() string {
	key := make([]byte, 32)
	rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}

// verifyOnlyPrefix tells the text of a verify-only key from that of the key itself.
const verifyOnlyPrefix = "verify-only:"

// Parse reads keys as [Generate], [Key.VerifyOnly] and "openssl rand -base64 32"
// write them: 32 bytes in base64 or hexadecimal. White space or commas separate
// several: the first seals, and all open, which is what the nodes need while a
// ring is rewrapped. Errors do not quote the text.
func Parse(text string) (*Key, error) {
	var k *Key
	for i, word := range strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' }) {
		next, err := parse(word)
		if err != nil {
			return nil, fmt.Errorf("key-encryption key %d: %w", i+1, err)
		}
		k = k.Or(next)
	}
	if k == nil {
		return nil, errors.New("the key-encryption key is empty")
	}
	return k, nil
}

func parse(word string) (*Key, error) {
	if verifyOnly, ok := strings.CutPrefix(word, verifyOnlyPrefix); ok {
		return parseVerifyOnly(verifyOnly)
	}
	raw, err := hex.DecodeString(word)
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if err == nil && len(raw) == 32 {
			break
		}
		raw, err = enc.Strict().DecodeString(word)
	}
	if err != nil || len(raw) != 32 {
		return nil, errors.New("it is not 32 bytes in base64 or hexadecimal: make one with openssl rand -base64 32")
	}
	return keyOf(&secret{raw: raw}), nil
}

func parseVerifyOnly(text string) (*Key, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 32+ed25519.PublicKeySize {
		return nil, errors.New("it is not a verify-only key as \"carnet export --verify-only-key\" prints one: it was cut off or altered")
	}
	return keyOf(&secret{raw: raw[:32], public: raw[32:]}), nil
}

// FromEnv returns the key that the environment names, or nil if it names none. One
// of these may be set:
//
//   - CARNET_RING_KEY, a key as [Parse] reads it;
//   - CARNET_RING_KEY_FILE, the path of a file with one, which nobody else may
//     read: a mounted Kubernetes secret, for example;
//   - CARNET_RING_PASSPHRASE, a passphrase. See [Passphrase].
func FromEnv() (*Key, error) {
	var k *Key
	var found string
	for _, v := range []struct {
		name string
		read func(string) (*Key, error)
	}{{"CARNET_RING_KEY", Parse}, {"CARNET_RING_KEY_FILE", readFile}, {"CARNET_RING_PASSPHRASE", Passphrase}} {
		value, ok := os.LookupEnv(v.name)
		if !ok {
			continue
		}
		if found != "" {
			return nil, fmt.Errorf("both %s and %s are set: unset one", found, v.name)
		}
		var err error
		if k, err = v.read(value); err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		found = v.name
	}
	return k, nil
}

func readFile(path string) (*Key, error) {
	if _, err := Parse(path); err == nil {
		return nil, errors.New("this is a key and not the path of a file with one") // and must not be printed
	}
	text, err := keystore.File(path).Load(context.Background())
	if err != nil {
		return nil, err
	}
	// "head -c 32 /dev/urandom" is a key as well. Text of 32 characters is not.
	if printable := strings.IndexFunc(string(text), func(r rune) bool { return !unicode.IsPrint(r) }) < 0; len(text) == 32 && !printable {
		return New(text)
	}
	return Parse(string(text))
}

func keyOf(s *secret) *Key { return &Key{secrets: []*secret{s}} }

// Or returns a key that seals as k does, and opens what k or other sealed. A nil k
// is other.
func (k *Key) Or(other *Key) *Key {
	if k == nil {
		return other
	}
	return &Key{secrets: append(append([]*secret(nil), k.secrets...), other.secrets...), fips: k.fips}
}

// ForVerifyOnly returns a key that opens verify-only rings alone: of random keys it
// keeps what that takes. A passphrase stays what it is. Nil stays nil.
func (k *Key) ForVerifyOnly() *Key {
	if k == nil {
		return nil
	}
	weak := &Key{fips: k.fips}
	for _, s := range k.secrets {
		if s.raw != nil && !s.verifyOnly() {
			s = &secret{raw: expand(s.raw, "verify-only key"), public: publicOf(signingKey(s.raw))}
		}
		weak.secrets = append(weak.secrets, s)
	}
	return weak
}

// FIPS returns a key that seals new documents for processes in which
// [crypto/fips140.Enforced] holds, from any process. Documents of such a process
// stay readable to it whoever edits them.
func (k *Key) FIPS() *Key { return &Key{secrets: k.secrets, fips: true} }

// Format prints what it is, whatever the verb.
func (k *Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, "kek.Key(secret)") }
