package paseto

import (
	"crypto/ed25519"
	"crypto/fips140"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/carnet-go/carnet/internal/edkey"
	"github.com/carnet-go/carnet/token"
)

// errFIPS says why a process that may use approved algorithms only gets no
// PASETO. Go does not stop it: golang.org/x/crypto does not know the setting.
var errFIPS = errors.New("PASETO v4 uses XChaCha20 and BLAKE2b, which FIPS 140 does not approve, " +
	"and GODEBUG=fips140=only is set: use a JWT ring")

// An Opener reads the tokens of one key. It can't mint: it holds the sealing
// secret and the public half of the signing key. It is safe for concurrent use.
type Opener struct {
	id     string
	label  string
	footer []byte
	pub    ed25519.PublicKey
	work   sync.Pool // of *workspace; only these and its New hold the secret
}

// A workspace is what one Open or Seal works with.
type workspace struct {
	tok      []byte
	implicit []byte
	payload  []byte // the outer one
	nonce    [localNonceSize]byte
	outer    *local
	inner    public
}

// NewOpener returns the Opener of the key with this sealing secret, 32 bytes,
// and this public key. It fails in a process that is bound to FIPS 140 by
// GODEBUG=fips140=only, because PASETO v4 uses no approved encryption.
func NewOpener(secret []byte, pub ed25519.PublicKey) (*Opener, error) {
	if fips140.Enforced() {
		return nil, errFIPS
	}
	if err := edkey.Check(pub); err != nil {
		return nil, err
	}
	id, err := paserkLocal.id(secret) // checks the length, too
	if err != nil {
		return nil, err
	}
	footer := footerOf(id)
	o := &Opener{id: id, label: b64.EncodeToString(footer), footer: footer, pub: slices.Clone(pub)}
	secret = slices.Clone(secret)
	o.work.New = func() any {
		l, _ := newLocal(secret) // fails for another length only
		return &workspace{outer: l}
	}
	return o, nil
}

// ID returns the key id: the PASERK k4.lid of the sealing secret.
func (o *Opener) ID() string { return o.id }

// Label returns the encoded footer with which each token of this key ends.
func (o *Opener) Label() string { return o.label }

// Format prints the key id, whatever the verb.
func (o *Opener) Format(f fmt.State, _ rune) { io.WriteString(f, "paseto key "+o.id) }

// Open returns the claims of a token of this key that was sealed for b. It does
// not check the times.
//
// A token sealed for another purpose, issuer or audience does not decrypt: it
// gives the bare [token.ErrInvalid], as every forgery does.
func (o *Opener) Open(tok string, b token.Binding) (token.Claims, error) {
	if len(tok) > token.MaxSize {
		return token.Claims{}, token.ErrTooLarge
	}
	if _, ok := Label(tok); !ok {
		return token.Claims{}, token.ErrMalformed
	}
	w := o.work.Get().(*workspace)
	defer o.work.Put(w)
	payload, err := o.payload(w, tok, b)
	if err != nil {
		return token.Claims{}, err
	}
	c, err := decodeClaims(payload, b)
	if err != nil {
		return token.Claims{}, err
	}
	c.KeyID = o.id
	return c, nil
}

// payload takes off both layers.
func (o *Opener) payload(w *workspace, tok string, b token.Binding) ([]byte, error) {
	w.tok = append(w.tok[:0], tok...)
	w.bind(b)
	outer, err := w.outer.decrypt(w.tok, o.footer, w.implicit)
	if err != nil {
		return nil, err
	}
	inner, ok := unwrap(outer)
	if !ok {
		return nil, token.ErrMalformed
	}
	return w.inner.verify(o.pub, inner, nil, w.implicit)
}

// bind makes the implicit assertion.
func (w *workspace) bind(b token.Binding) {
	w.implicit = appendPAE(w.implicit[:0], "carnet/v1", string(b.Purpose), b.Issuer, b.Audience)
}
