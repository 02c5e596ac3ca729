package paseto_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/token"
)

// A broken signer is one whose key is somewhere else.
type broken struct {
	pub crypto.PublicKey
	sig []byte
	err error
}

func (b broken) Public() crypto.PublicKey { return b.pub }

func (b broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return b.sig, b.err }

func TestSignerThatFails(t *testing.T) {
	pub, _, _ := ed25519.GenerateKey(nil)
	away := errors.New("the signer is away")
	for _, b := range []broken{{pub, nil, away}, {pub, make([]byte, 63), nil}, {pub, make([]byte, 65), nil}, {pub, nil, nil}} {
		s, err := paseto.NewSealer(make([]byte, 32), b)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := s.Seal(claims())
		if err == nil || tok != "" || errors.Is(err, token.ErrInvalid) || b.err != nil && !errors.Is(err, away) {
			t.Errorf("%d bytes of signature: %q, %v", len(b.sig), tok, err)
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	pub, priv, _ := ed25519.GenerateKey(nil)
	for _, secret := range [][]byte{nil, make([]byte, 16), make([]byte, 31), make([]byte, 33), make([]byte, 64)} {
		if _, err := paseto.NewSealer(secret, priv); err == nil {
			t.Errorf("took a secret of %d bytes", len(secret))
		}
	}
	for _, pub := range []ed25519.PublicKey{nil, pub[:31], append(pub, 0)} {
		if _, err := paseto.NewOpener(make([]byte, 32), pub); err == nil {
			t.Errorf("took a public key of %d bytes", len(pub))
		}
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]crypto.Signer{"none": nil, "P-256": p256, "a short one": priv[:40], "an empty one": ed25519.PrivateKey{},
		"one without a public key": broken{}} {
		if _, err := paseto.NewSealer(make([]byte, 32), s); err == nil {
			t.Errorf("took %s as a signer", name)
		}
	}
}

// A ring that erases its copy of a key does not break the tokens of it.
func TestKeysAreCopied(t *testing.T) {
	pub, priv, _ := ed25519.GenerateKey(nil)
	secret := make([]byte, 32)
	rand.Read(secret)
	s, err := paseto.NewSealer(bytes.Clone(secret), priv)
	if err != nil {
		t.Fatal(err)
	}
	tok := seal(t, s, claims())
	o, err := paseto.NewOpener(secret, pub)
	if err != nil {
		t.Fatal(err)
	}
	clear(secret)
	clear(pub)
	if _, err := o.Open(tok, session); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestNothingPrintsKeys(t *testing.T) {
	h := newHolder(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{h.Sealer, *h.Sealer, h.Opener, struct{ S *paseto.Sealer }{h.Sealer}, []paseto.Sealer{*h.Sealer}} {
			if out := fmt.Sprintf(verb, v); !strings.Contains(out, h.ID()) && !strings.Contains(out, "0x") || len(out) > 100 {
				t.Errorf("%s of %T prints %q", verb, v, out)
			}
		}
	}
}

// Under a key of small order, zeros are a signature that nobody made. Each key
// here is shown to be one before it is shown to be refused.
func TestPublicKeysThatVerifyForgeries(t *testing.T) {
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		pub, _ := hex.DecodeString(y)
		for _, sign := range []byte{0, 0x80} {
			pub[31] = pub[31]&0x7f | sign
			neutral, forged := [64]byte{1}, false
			for i := 0; i < 256 && !forged; i++ {
				forged = ed25519.Verify(pub, []byte{byte(i)}, neutral[:])
			}
			if !forged {
				t.Errorf("%x is no key of small order", pub)
			}
			if _, err := paseto.NewOpener(make([]byte, 32), pub); err == nil {
				t.Errorf("took %x", pub)
			}
		}
	}
}

// In a process that is bound to FIPS 140 nothing here works, so there is nothing
// else to test.
func TestMain(m *testing.M) {
	flag.Parse()
	if fips140.Enforced() {
		flag.Set("test.run", "^TestFIPSOnlyIsRefused$")
	}
	os.Exit(m.Run())
}

// Only a process that is started with the setting has it, so the test runs
// itself once more.
func TestFIPSOnlyIsRefused(t *testing.T) {
	if !fips140.Enforced() {
		cmd := exec.Command(os.Args[0], "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestFIPSOnlyIsRefused") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 32)
	_, err1 := paseto.NewOpener(secret, pub)
	_, err2 := paseto.NewSealer(secret, priv)
	for _, err := range []error{err1, err2} {
		for _, part := range []string{"XChaCha20", "BLAKE2b", "JWT"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%v does not speak of %s", err, part)
			}
		}
		if errors.Is(err, token.ErrInvalid) {
			t.Errorf("%v is about no token", err)
		}
	}
}
