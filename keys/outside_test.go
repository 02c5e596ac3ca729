package keys_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystest"
	"github.com/carnet-go/carnet/token"
)

// An hsm signs, as far as one can hear of it, elsewhere.
type hsm struct {
	ed25519.PrivateKey
	fail  error
	hangs chan struct{} // nil if it does not
	wrong bool
}

func newHSM(t testing.TB) *hsm {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &hsm{PrivateKey: priv}
}

func (h *hsm) Sign(r io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if h.hangs != nil {
		<-h.hangs
	}
	if h.wrong {
		message = message[1:]
	}
	sig, err := h.PrivateKey.Sign(r, message, opts)
	return sig, errors.Join(h.fail, err)
}

// withSigner returns a ring whose active key signs in h.
func withSigner(t *testing.T, f keys.Format, h *hsm) (keys.Source, *keys.Ring) {
	t.Helper()
	src := keys.Source{Store: keystest.NewStore(), Plain: true, Report: func(error) {},
		Signer: func(_ context.Context, name string) (crypto.Signer, error) {
			if name != "hsm-1" {
				return nil, errors.New("no such signer")
			}
			return h, nil
		}}
	if err := src.Create(t.Context(), newSet(t, f)); err != nil {
		t.Fatal(err)
	}
	for _, signer := range []crypto.Signer{h, newHSM(t)} {
		name := "hsm-2"
		if signer == crypto.Signer(h) {
			name = "hsm-1"
		}
		must(t)(src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.RotateTo(signer, name, "", true) }))
	}
	ring, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ring.Close() })
	return src, ring
}

func TestSignersOutside(t *testing.T) {
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		h := newHSM(t)
		src, ring := withSigner(t, f, h)
		if k := in(t, ring.Set(), "active"); k.Signer != "hsm-1" || !k.Public.Equal(h.Public()) {
			t.Errorf("the active key is %+v", k)
		}
		doc, err := src.Store.Load(t.Context())
		if err != nil || leaks(doc, h.PrivateKey.Seed()) {
			t.Errorf("the private key is in the ring: %v", err)
		}
		exported := keys.Source{Store: keystest.NewStore(), Plain: true}
		verifyOnly, err := src.Export(t.Context())
		if err == nil {
			err = exported.Store.Save(t.Context(), nil, verifyOnly)
		}
		if err != nil {
			t.Fatal(err)
		}
		verify, err := exported.OpenVerifyOnly(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer verify.Close()
		tok := seal(t, ring)
		for _, o := range []token.Opener{ring, verify} {
			if _, err := o.Open(tok, session); err != nil {
				t.Errorf("%v: %v", o, err)
			}
		}
		if _, err := ring.Set().Rotate("", true); err == nil || !strings.Contains(err.Error(), "RotateTo") {
			t.Errorf("a rotation that leaves the signer in silence: %v", err)
		}
		if _, err := ring.Set().RotateTo(h, "hsm-1", "", true); err == nil {
			t.Error("a signer for a second key")
		}
		revoked := must(t)(ring.Set().Revoke(in(t, ring.Set(), "active").ID))
		if k := in(t, throughAStore(t, revoked), "active"); k.Signer != "hsm-2" {
			t.Errorf("after the revocation %+v is active", k)
		}
	})
}

func TestSignersOutsideThatFail(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*keys.Source, *hsm)
		want   string
	}{
		"fails":             {func(_ *keys.Source, h *hsm) { h.fail = errors.New("access denied") }, "access denied"},
		"another key":       {func(_ *keys.Source, h *hsm) { h.PrivateKey = newHSM(t).PrivateKey }, "another key"},
		"wrong signatures":  {func(_ *keys.Source, h *hsm) { h.wrong = true }, "its signature is not one of the key"},
		"hangs":             {func(_ *keys.Source, h *hsm) { h.hangs = make(chan struct{}) }, "no answer within 2s"},
		"nobody to find it": {func(s *keys.Source, _ *hsm) { s.Signer = nil }, "by a Source with a Signer"},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHSM(t)
				src, good := withSigner(t, keys.JWT, h)
				tok := seal(t, good)
				c.change(&src, h)
				ring, err := src.Open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer ring.Close()
				start := time.Now()
				_, err = ring.Seal(claims())
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `signer "hsm-1"`) || errors.Is(err, token.ErrInvalid) {
					t.Errorf("got %v", err)
				}
				if waited := time.Since(start); waited > 2*time.Second {
					t.Errorf("it took %v", waited)
				}
				if _, err := ring.Open(tok, session); err != nil {
					t.Errorf("reading needs no signer: %v", err)
				}
				if h.hangs != nil {
					close(h.hangs)
				}
			})
		})
	}
}
