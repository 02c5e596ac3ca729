// Package overflow keeps session data that does not fit into the cookie:
//
//	sessions := chimw.New(issuer, chimw.Config{Overflow: redisoverflow.New(client, "web:")})
//
// Nothing else changes. Data that fits goes into the cookie as before, and no store is
// asked. Data that does not is sealed and kept in the store, and the cookie has a
// reference to it; a request with such a cookie asks the store once, after the token
// was verified and the revocation list asked.
//
// # What the store can do
//
// Each time that data is kept it gets a key of its own (AES-256-GCM). The reference has
// that key and the SHA-256 of what was sealed with it, and is in the token alone. So who
// has the store can read nothing, and can put nothing in the place of anything: an entry
// that was altered, that is older or of another session is refused. He can delete
// entries, and that ends the sessions.
//
// # How long
//
// An entry is never changed. A change of the data makes another one, so a cookie whose
// successor got lost on the way still has its own. Of each session the store keeps the
// last 32, until the session ends. A session that is logged out leaves its entries
// behind until then, which nobody can read any more.
package overflow

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/carnet-go/carnet/token"
)

// A Store keeps entries. It need not be trusted with what is in them. It is safe for
// concurrent use. Package overflowtest has the tests that every Store must pass.
type Store interface {
	// Put keeps an entry of a session under a name of 43 characters, at least until
	// the session has got Versions further ones or until has passed. The same entry
	// may be put again, which changes nothing. It must not keep entry after it has
	// returned, nor change it, and clones what it keeps of session, which may be a part
	// of the text of a whole token.
	Put(ctx context.Context, session, name string, entry []byte, until time.Time) error

	// Get returns an entry, which the caller may change. [ErrMissing] means that the
	// store has none of that session and name; any other error that it can't tell.
	Get(ctx context.Context, session, name string) (entry []byte, err error)
}

const (
	// Versions is how many entries of one session a store keeps.
	Versions = 32

	// MaxSize is the most bytes of session data, as JSON.
	MaxSize = 1 << 20
)

// ErrMissing is an entry that a [Store] does not have.
var ErrMissing = errors.New("overflow: the store has no such entry")

// A refusal is of the family of token.ErrInvalid.
type refusal struct{ why, word string }

func (r *refusal) Error() string { return fmt.Sprintf("%v: %s", token.ErrInvalid, r.why) }
func (r *refusal) Unwrap() error { return token.ErrInvalid }

// Reason is the word for it in logs and counters.
func (r *refusal) Reason() string { return r.word }

var (
	errLost    error = &refusal{"the overflow store has lost its data", "data lost"}
	errForeign error = &refusal{"what the overflow store has is not its data", "data altered"}
)

// A reference is what a token has in the place of its data.
type reference [keySize + sha256.Size]byte

const keySize = 32

var b64 = base64.RawURLEncoding.Strict()

func (r *reference) name() string { return b64.EncodeToString(r[keySize:]) }

// Save seals data of a session and puts it into the store. It returns the reference,
// which is a secret: it has the key.
func Save(ctx context.Context, s Store, session, data string, until time.Time) (string, error) {
	var r reference
	rand.Read(r[:keySize])
	entry, err := seal(&r, session, data)
	if err != nil {
		return "", fmt.Errorf("overflow: %w", err)
	}
	if err := s.Put(ctx, session, r.name(), entry, until); err != nil {
		return "", err
	}
	return b64.EncodeToString(r[:]), nil
}

// Load returns the data that [Save] gave the reference for. An error wraps
// [token.ErrInvalid] if the store has lost the data, or has something else in its place;
// any other error means that the data could not be got.
func Load(ctx context.Context, s Store, session, ref string) (string, error) {
	r, ok := parse(ref)
	if !ok {
		return "", token.ErrClaims
	}
	entry, err := s.Get(ctx, session, r.name())
	switch {
	case errors.Is(err, ErrMissing):
		return "", errLost
	case err != nil:
		return "", err
	}
	return open(&r, session, entry)
}

func parse(ref string) (r reference, ok bool) {
	if len(ref) != b64.EncodedLen(len(r)) {
		return r, false
	}
	n, err := b64.Decode(r[:], []byte(ref))
	return r, err == nil && n == len(r) // the decoder skips line breaks
}

// seal completes the reference.
func seal(r *reference, session, data string) ([]byte, error) {
	aead, err := cipherOf(r)
	if err != nil {
		return nil, err
	}
	entry := aead.Seal(nil, nil, []byte(data), bound(session))
	sum := sha256.Sum256(entry)
	copy(r[keySize:], sum[:])
	return entry, nil
}

func open(r *reference, session string, entry []byte) (string, error) {
	if sum := sha256.Sum256(entry); sum != [sha256.Size]byte(r[keySize:]) {
		return "", errForeign
	}
	aead, err := cipherOf(r)
	if err != nil {
		return "", err
	}
	data, err := aead.Open(nil, nil, entry, bound(session))
	if err != nil {
		return "", errForeign
	}
	return string(data), nil
}

// cipherOf returns the cipher of the key, which seals once.
func cipherOf(r *reference) (cipher.AEAD, error) {
	block, err := aes.NewCipher(r[:keySize])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func bound(session string) []byte { return []byte("carnet: overflow of " + session) }
