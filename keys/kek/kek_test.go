package kek_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys/kek"
)

const context = "ring 7"

func parse(t testing.TB, text string) *kek.Key {
	t.Helper()
	k, err := kek.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func passphrase(t testing.TB, p string) *kek.Key {
	t.Helper()
	k, err := kek.Passphrase(p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t testing.TB, k *kek.Key, before *kek.Envelope) *kek.Envelope {
	t.Helper()
	e, err := k.Seal([]byte("mints"), []byte("reads"), context, before)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// opens checks what a key gets out of an envelope; empty is nothing.
func opens(t *testing.T, what string, k *kek.Key, e *kek.Envelope, ring, verifyOnly string) {
	t.Helper()
	for _, half := range []struct {
		open func(*kek.Envelope, string) ([]byte, error)
		want string
	}{{k.Open, ring}, {k.OpenVerifyOnly, verifyOnly}} {
		got, err := half.open(e, context)
		if string(got) != half.want || (err == nil) != (half.want != "") {
			t.Errorf("%s: got %q, want %q: %v", what, got, half.want, err)
		}
	}
}

func TestWhoOpensWhat(t *testing.T) {
	random, other := parse(t, kek.Generate()), parse(t, kek.Generate())
	words := passphrase(t, "correct horse battery staple")
	for name, k := range map[string]*kek.Key{"key": random, "passphrase": words, "FIPS key": random.FIPS(), "FIPS passphrase": words.FIPS()} {
		t.Run(name, func(t *testing.T) {
			e := seal(t, k, nil)
			text, err := k.VerifyOnly(e)
			if err != nil {
				t.Fatal(err)
			}
			verifyOnly := parse(t, text)
			opens(t, "the key", k, e, "mints", "reads")
			opens(t, "the verify-only key", verifyOnly, e, "", "reads")
			opens(t, "another key", other, e, "", "")
			opens(t, "another passphrase", passphrase(t, "correct horse battery stable"), e, "", "")
			opens(t, "a new key and the key", other.Or(k), e, "mints", "reads")
			if _, err := k.Open(e, "ring 8"); err == nil {
				t.Error("opened as of another generation")
			}
			if _, err := verifyOnly.Seal(nil, nil, context, nil); !errors.Is(err, kek.ErrVerifyOnly) {
				t.Errorf("sealing with a verify-only key: %v", err)
			}
			if _, err := verifyOnly.Open(e, context); !errors.Is(err, kek.ErrVerifyOnly) {
				t.Errorf("opening a ring with a verify-only key: %v", err)
			}
			if _, err := other.Open(e, context); !errors.Is(err, kek.ErrWrongKey) {
				t.Errorf("another key: %v", err)
			}
		})
	}
}

var otherCipher = map[string]string{"aes-256-gcm": "xchacha20-poly1305", "xchacha20-poly1305": "aes-256-gcm"}

// Halves of different documents don't fit together, and nothing can be altered.
func TestAlteredEnvelopesAreRefused(t *testing.T) {
	k := parse(t, kek.Generate())
	for _, alter := range []func(e *kek.Envelope){
		func(e *kek.Envelope) { e.Ring, e.VerifyOnly = e.VerifyOnly, e.Ring },
		func(e *kek.Envelope) { e.Ring[0] ^= 1; e.VerifyOnly[0] ^= 1 },
		func(e *kek.Envelope) { e.Ring[len(e.Ring)-1] ^= 1; e.VerifyOnly[len(e.VerifyOnly)-1] ^= 1 },
		func(e *kek.Envelope) { e.Ring, e.VerifyOnly = e.Ring[:5], e.VerifyOnly[:5] },
		func(e *kek.Envelope) { e.Cipher = otherCipher[e.Cipher] },
		func(e *kek.Envelope) { e.Cipher = "none" },
		func(e *kek.Envelope) { e.Way = "pbkdf2-hmac-sha256 1" },
		func(e *kek.Envelope) { e.KeyID, e.VerifyID = e.VerifyID, e.KeyID },
		func(e *kek.Envelope) { e.Ring[9] ^= 1; e.Signature[9] ^= 1 },
		func(e *kek.Envelope) { e.Ring, e.Signature = nil, nil },
		func(e *kek.Envelope) { e.Ring, e.Signature = nil, seal(t, k, nil).Signature },
	} {
		e := seal(t, k, nil)
		alter(e)
		opens(t, fmt.Sprint(e.Cipher, e.Way), k, e, "", "")
	}
}

// The verify-only key opens its half, so it could seal one as well. What it can't do
// is sign it.
func TestAVerifyOnlyKeyForgesNothing(t *testing.T) {
	k := parse(t, kek.Generate()).FIPS()
	e := seal(t, k, nil)
	text, err := k.VerifyOnly(e)
	if err != nil {
		t.Fatal(err)
	}
	verifyOnly := parse(t, text)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "verify-only:"))
	if err != nil {
		t.Fatal(err)
	}
	e.VerifyOnly = sealAsDocumented(t, raw[:32], e.Cipher, "evil")
	for what, k := range map[string]*kek.Key{"the key": k, "the verify-only key": verifyOnly} {
		opens(t, what, k, e, map[bool]string{true: "mints"}[k != verifyOnly], "")
		if _, err := k.OpenVerifyOnly(e, context); err == nil || !strings.Contains(err.Error(), "forged with a verify-only key") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// sealAsDocumented follows docs/format.md for the half that nodes which only verify
// read, and for AES.
func sealAsDocumented(t *testing.T, root []byte, cipherName, plaintext string) []byte {
	t.Helper()
	key, err := hkdf.Expand(sha256.New, root, "carnet 1 verify-only ring", 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead.Seal(nil, nil, []byte(plaintext), []byte("carnet sealed ring 1\n"+cipherName+"\n"+context+" verify-only ring"))
}

// An edit costs no new derivation on the nodes, and keeps FIPS nodes going.
func TestEditsKeepSaltAndCipher(t *testing.T) {
	words := passphrase(t, "correct horse battery staple")
	first := seal(t, words, nil)
	if second := seal(t, words, first); !bytes.Equal(first.Salt, second.Salt) || len(first.Salt) != 16 {
		t.Error("an edit changed the salt")
	}
	if new := seal(t, passphrase(t, "another passphrase"), first); bytes.Equal(first.Salt, new.Salt) {
		t.Error("a new passphrase came with the old salt")
	}
	fips := seal(t, words.FIPS(), nil)
	if after := seal(t, words, fips); after.Cipher != fips.Cipher || after.Way != fips.Way || (fips.Cipher == first.Cipher) != fips140.Enforced() {
		t.Errorf("sealed with %s, then with %s", fips.Cipher, after.Cipher)
	}
}

func TestParse(t *testing.T) {
	raw := bytes.Repeat([]byte{0xfb}, 32)
	e := seal(t, mustNew(t, raw), nil)
	for _, text := range []string{
		base64.StdEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
		base64.RawURLEncoding.EncodeToString(raw), hex.EncodeToString(raw), "\n " + hex.EncodeToString(raw) + "\r\n",
		kek.Generate() + "\n" + hex.EncodeToString(raw), kek.Generate() + "," + hex.EncodeToString(raw),
	} {
		opens(t, text, parse(t, text), e, "mints", "reads")
	}
	for _, text := range []string{"", " \n", "secret", hex.EncodeToString(raw[:31]), hex.EncodeToString(raw) + "00", "verify-only:", "verify-only:" + base64.StdEncoding.EncodeToString(raw), "verify-only:" + base64.RawStdEncoding.EncodeToString(append(raw, raw...))} {
		if _, err := kek.Parse(text); err == nil {
			t.Errorf("parsed %q", text)
		} else if strings.TrimSpace(text) != "" && strings.Contains(err.Error(), text) {
			t.Errorf("the error quotes the key: %v", err)
		}
	}
	if _, err := kek.Passphrase("too short"); err == nil {
		t.Error("a short passphrase")
	}
}

func mustNew(t testing.TB, raw []byte) *kek.Key {
	k, err := kek.New(raw)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestFromEnv(t *testing.T) {
	text := kek.Generate()
	e := seal(t, parse(t, text), nil)
	file := filepath.Join(t.TempDir(), "key")
	write := func(doc []byte) {
		t.Helper()
		if err := os.WriteFile(file, doc, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	get := func() *kek.Key {
		t.Helper()
		k, err := kek.FromEnv()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if get() != nil {
		t.Error("a key from nowhere")
	}
	write([]byte(text + "\n"))
	t.Setenv("CARNET_RING_KEY_FILE", file)
	opens(t, "a file", get(), e, "mints", "reads")
	raw, _ := base64.StdEncoding.DecodeString(text)
	raw[0] = 0xff
	write(raw)
	opens(t, "a file of 32 bytes", get(), seal(t, mustNew(t, raw), nil), "mints", "reads")
	write([]byte(strings.Repeat("a", 32)))
	if _, err := kek.FromEnv(); err == nil || !strings.Contains(err.Error(), "CARNET_RING_KEY_FILE") {
		t.Errorf("32 letters were taken for a random key: %v", err)
	}
	os.Chmod(file, 0o644)
	if _, err := kek.FromEnv(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that all can read: %v", err)
	}
	t.Setenv("CARNET_RING_KEY", text)
	if _, err := kek.FromEnv(); err == nil || !strings.Contains(err.Error(), "unset one") {
		t.Errorf("two keys: %v", err)
	}
	os.Unsetenv("CARNET_RING_KEY_FILE")
	opens(t, "a variable", get(), e, "mints", "reads")
	os.Unsetenv("CARNET_RING_KEY")
	t.Setenv("CARNET_RING_PASSPHRASE", "correct horse battery staple")
	opens(t, "a passphrase", get(), seal(t, passphrase(t, "correct horse battery staple"), nil), "mints", "reads")
}

func TestKeysPrintWithoutTheirSecrets(t *testing.T) {
	raw := bytes.Repeat([]byte("secret!!"), 4)
	for _, k := range []*kek.Key{mustNew(t, raw), passphrase(t, "secret!! secret!!")} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			for _, v := range []any{k, struct{ K *kek.Key }{k}} {
				if out := fmt.Sprintf(verb, v); strings.Contains(out, "secret!!") || strings.Contains(out, hex.EncodeToString(raw[:8])) {
					t.Errorf("%s prints %s", verb, out)
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(kek.Generate())
	f.Add("verify-only:" + kek.Generate())
	f.Add("verify-only:" + base64.StdEncoding.EncodeToString(make([]byte, 64)))
	f.Add(strings.Repeat("ab", 32) + " " + kek.Generate())
	f.Fuzz(func(t *testing.T, text string) {
		k, err := kek.Parse(text)
		if err != nil {
			return
		}
		e, err := k.Seal([]byte("mints"), []byte("reads"), context, nil)
		if errors.Is(err, kek.ErrVerifyOnly) {
			return
		}
		if got, err := k.Open(e, context); err != nil || string(got) != "mints" {
			t.Fatalf("a key that was parsed can't be used: %v", err)
		}
	})
}

// A slip of the variable must not print the key.
func TestAKeyForAPathIsNotPrinted(t *testing.T) {
	text := kek.Generate()
	t.Setenv("CARNET_RING_KEY_FILE", text)
	if _, err := kek.FromEnv(); err == nil || strings.Contains(err.Error(), text) {
		t.Errorf("got %v", err)
	}
}

// Way and salt are told apart, and each way has one length of salt.
func TestSaltsOfTheWrongLengthAreRefused(t *testing.T) {
	words, random := passphrase(t, "correct horse battery staple"), parse(t, kek.Generate())
	e := seal(t, words, nil)
	opens(t, "as sealed", words, e, "mints", "reads")
	shifted := *e
	shifted.Way, shifted.Salt = "", append([]byte(e.Way), e.Salt...)
	opens(t, "the way in the salt", words, &shifted, "", "")
	shifted = *e
	shifted.Way, shifted.Salt = e.Way+string(e.Salt[:1]), e.Salt[1:]
	opens(t, "the salt in the way", words, &shifted, "", "")
	salted := *seal(t, random, nil)
	salted.Salt = make([]byte, 1000)
	opens(t, "a salt for a random key", random, &salted, "", "")
}
