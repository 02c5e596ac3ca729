package keys

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// signWithin is how long a signer outside may take for one token.
	signWithin = 2 * time.Second

	// signAtOnce bounds the calls that a signer which hangs keeps.
	signAtOnce = 64

	maxSignerName = 200
)

// RotateTo is [Set.Rotate] where the fresh key signs outside of the ring: in a KMS,
// in an HSM, by PKCS#11. Its private half is never here; the ring has the name of
// the signer, by which [Source.Signer] finds it again, and the sealing secret. The
// signer's key must be Ed25519, and is used for nothing else.
//
// Once the key that comes next signs outside, Rotate refuses: each rotation says
// by RotateTo which signer follows. [Set.Revoke] does not wait for one: the key
// that it publishes has its private half in the ring.
func (s *Set) RotateTo(signer crypto.Signer, name string, next Format, force bool) (*Set, error) {
	pub, ok := signer.Public().(ed25519.PublicKey)
	if !ok || name == "" || len(name) > maxSignerName {
		return nil, fmt.Errorf("rotate to a signer outside: it must have an Ed25519 key, and a name of 1 to %d bytes", maxSignerName)
	}
	for _, k := range s.keys {
		if k.Public.Equal(pub) {
			return nil, fmt.Errorf("rotate to the signer %q: key %s has signed with it already: make a new one", name, k.ID)
		}
	}
	e, err := s.rotate(next, force)
	if err != nil {
		return nil, err
	}
	k := &e.keys[len(e.keys)-1]
	k.Public, k.Signer, k.secrets = pub, name, new(secrets)
	rand.Read(k.seal[:])
	o, err := newOpener(k.Format, k.seal[:], pub)
	if err != nil {
		return nil, err
	}
	k.ID = o.ID()
	changed := e.record[len(e.record)-1].Keys
	changed[len(changed)-1] = k.ID
	return e, nil
}

// A findSigner is [Source.Signer].
type findSigner func(ctx context.Context, name string) (crypto.Signer, error)

// outside signs with a key that is not in the ring. It is found at the first token,
// so that a ring opens without it.
type outside struct {
	key   Key
	find  findSigner
	calls chan struct{}

	mu     sync.Mutex
	signer crypto.Signer // nil until it was found
}

func (k key) signer(find findSigner) crypto.Signer {
	if k.Signer == "" {
		return k.sign
	}
	return &outside{key: k.Key, find: find, calls: make(chan struct{}, signAtOnce)}
}

// Public returns the key that the ring has.
func (o *outside) Public() crypto.PublicKey { return o.key.Public }

// Sign returns in time, whether the signer does or not, and no signature that is
// not good.
func (o *outside) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), signWithin)
	defer cancel()
	select {
	case o.calls <- struct{}{}:
	case <-ctx.Done():
		return nil, o.fail(fmt.Errorf("%d calls wait for it already", signAtOnce))
	}
	type result struct {
		sig []byte
		err error
	}
	done, message := make(chan result, 1), bytes.Clone(message)
	go func() {
		defer func() { <-o.calls }()
		sig, err := o.call(ctx, message, opts)
		done <- result{sig, err}
	}()
	select {
	case r := <-done:
		if r.err == nil && !ed25519.Verify(o.key.Public, message, r.sig) {
			r.err = errors.New("its signature is not one of the key that the ring has")
		}
		if r.err != nil {
			return nil, o.fail(r.err)
		}
		return r.sig, nil
	case <-ctx.Done():
		return nil, o.fail(fmt.Errorf("no answer within %v", signWithin))
	}
}

func (o *outside) call(ctx context.Context, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	s, err := o.found(ctx)
	if err != nil {
		return nil, err
	}
	return s.Sign(rand.Reader, message, opts)
}

func (o *outside) found(ctx context.Context) (crypto.Signer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.signer != nil {
		return o.signer, nil
	}
	if o.find == nil {
		return nil, errors.New("nobody said where to find it: open the ring by a Source with a Signer")
	}
	s, err := o.find(ctx, o.key.Signer)
	if err != nil {
		return nil, err
	}
	if pub, ok := s.Public().(ed25519.PublicKey); !ok || !pub.Equal(o.key.Public) {
		return nil, errors.New("what was found by its name has another key")
	}
	o.signer = s
	return s, nil
}

func (o *outside) fail(err error) error {
	return fmt.Errorf("the signer %q of key %s: %w", o.key.Signer, o.key.ID, err)
}
