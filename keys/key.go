package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/carnet-go/carnet/internal/jose"
	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/token"
)

// A Format is what the tokens of a key look like. There is no other choice of
// algorithm anywhere.
type Format string

const (
	JWT    Format = "jwt"    // a JWS (EdDSA) inside a JWE (dir, A256GCM); runs in a FIPS 140-only process
	PASETO Format = "paseto" // a v4.public inside a v4.local
)

// What a key is used for.
const (
	prePublished = "pre-published" // opens; mints after the next rotation
	active       = "active"        // mints and opens
	retired      = "retired"       // opens
	revoked      = "revoked"       // opens nothing; only its id is left
)

// A Key describes one generation, without its secrets. Times are in whole
// seconds and zero if the event has not happened.
type Key struct {
	ID          string
	Format      Format
	State       string // "pre-published", "active", "retired" or "revoked"
	Generation  uint64 // of the set that first had it; zero if the ring does not say
	CreatedAt   time.Time
	ActivatedAt time.Time
	RetiredAt   time.Time
	RevokedAt   time.Time
	Public      ed25519.PublicKey
	Signer      string // name of the one outside that has the private key; empty if the ring has it
}

// key is a Key with its secrets. They sit behind a pointer, which fmt does not
// follow.
type key struct {
	Key
	*secrets // nil once revoked
}

type secrets struct {
	seal [32]byte           // seals and opens the envelope
	sign ed25519.PrivateKey // nil if it is outside
}

// An opener reads the tokens of one key, a sealer mints them. They are
// implemented once a format.
type opener interface {
	ID() string
	Label() string
	Open(tok string, b token.Binding) (token.Claims, error)
}

type sealer interface {
	opener
	Seal(c token.Claims) (string, error)
}

func newOpener(f Format, seal []byte, pub ed25519.PublicKey) (opener, error) {
	switch f {
	case JWT:
		return jose.NewOpener(seal, pub)
	case PASETO:
		return paseto.NewOpener(seal, pub)
	}
	return nil, unknownFormat(f)
}

func newSealer(f Format, seal []byte, signer crypto.Signer) (sealer, error) {
	switch f {
	case JWT:
		return jose.NewSealer(seal, signer)
	case PASETO:
		return paseto.NewSealer(seal, signer)
	}
	return nil, unknownFormat(f)
}

func unknownFormat(f Format) error {
	return fmt.Errorf("unknown key format %.20q: use %q or %q", string(f), JWT, PASETO)
}

// label cuts out of tok the part that names its key.
func label(tok string) (string, bool) {
	if l, ok := jose.Label(tok); ok {
		return l, true
	}
	return paseto.Label(tok)
}

// labelID reads the id of a key that the ring does not have.
func labelID(l string) (string, bool) {
	if id, ok := jose.LabelID(l); ok {
		return id, true
	}
	return paseto.LabelID(l)
}

// generate makes a fresh key, to be pre-published.
func generate(f Format, generation uint64, now time.Time) (key, error) {
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		return key{}, err
	}
	s := &secrets{sign: priv}
	rand.Read(s.seal[:])
	o, err := newOpener(f, s.seal[:], pub)
	if err != nil {
		return key{}, err
	}
	return key{Key{ID: o.ID(), Format: f, State: prePublished, Generation: generation, CreatedAt: now, Public: pub}, s}, nil
}
