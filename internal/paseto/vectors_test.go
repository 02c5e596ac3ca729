package paseto

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"golang.org/x/crypto/chacha20"

	"github.com/carnet-go/carnet/token"
)

// A vector is a test of the official set, of tokens or of key serialisations.
type vector struct {
	Name       string  `json:"name"`
	ExpectFail bool    `json:"expect-fail"`
	Key        hexText `json:"key"`
	Nonce      hexText `json:"nonce"`
	Public     hexText `json:"public-key"`
	Secret     hexText `json:"secret-key"`
	Token      string  `json:"token"`
	Payload    string  `json:"payload"`
	Footer     string  `json:"footer"`
	Implicit   string  `json:"implicit-assertion"`
	PASERK     string  `json:"paserk"`
}

type hexText []byte

func (h *hexText) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func vectors(t testing.TB, file string) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Tests []vector `json:"tests"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Tests) == 0 {
		t.Fatalf("%s has no tests", file)
	}
	return set.Tests
}

func mustLocal(t testing.TB, key []byte) *local {
	t.Helper()
	l, err := newLocal(key)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// open reads a vector's token with whichever key it has.
func (v vector) open(t *testing.T, footer, implicit string) ([]byte, error) {
	t.Helper()
	if v.Key != nil {
		return mustLocal(t, v.Key).decrypt([]byte(v.Token), []byte(footer), []byte(implicit))
	}
	return new(public).verify(ed25519.PublicKey(v.Public), []byte(v.Token), []byte(footer), []byte(implicit))
}

// mint makes a vector's token with whichever key it has.
func (v vector) mint(t *testing.T) string {
	t.Helper()
	if v.Key != nil {
		return string(mustLocal(t, v.Key).encrypt(v.Nonce, []byte(v.Payload), []byte(v.Footer), []byte(v.Implicit)))
	}
	tok, err := new(public).sign(ed25519.PrivateKey(v.Secret), []byte(v.Payload), []byte(v.Footer), []byte(v.Implicit))
	if err != nil {
		t.Fatal(err)
	}
	return string(tok)
}

func TestTokenVectors(t *testing.T) {
	for _, v := range vectors(t, "v4.json") {
		t.Run(v.Name, func(t *testing.T) {
			payload, err := v.open(t, v.Footer, v.Implicit)
			if v.ExpectFail {
				if !errors.Is(err, token.ErrMalformed) || payload != nil {
					t.Errorf("must be refused for its form, but: %v", err)
				}
				return
			}
			if err != nil || string(payload) != v.Payload {
				t.Errorf("opens to %q, %v", payload, err)
			}
			if got := v.mint(t); got != v.Token {
				t.Errorf("minted\n%s, want\n%s", got, v.Token)
			}
		})
	}
}

func TestTokenVectorsBindFooterAndAssertion(t *testing.T) {
	for _, v := range vectors(t, "v4.json") {
		if v.ExpectFail {
			continue
		}
		for what, around := range map[string][2]string{
			"another assertion": {v.Footer, v.Implicit + " "},
			"a longer footer":   {v.Footer + " ", v.Implicit},
			"the two swapped":   {v.Implicit + "x", v.Footer},
		} {
			if payload, err := v.open(t, around[0], around[1]); err != token.ErrInvalid || payload != nil {
				t.Errorf("%s, %s: got %v", v.Name, what, err)
			}
		}
		changed := v
		changed.Key, changed.Public = bytes.Clone(v.Key), bytes.Clone(v.Public)
		for _, key := range [][]byte{changed.Key, changed.Public} {
			if key != nil {
				key[0] ^= 1
			}
		}
		if _, err := changed.open(t, v.Footer, v.Implicit); err != token.ErrInvalid {
			t.Errorf("%s, another key: got %v", v.Name, err)
		}
	}
}

func TestOtherVersionsAreRefused(t *testing.T) {
	pub := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	for _, file := range []string{"v2.json", "v3.json"} {
		for _, v := range vectors(t, file) {
			_, rest, _ := strings.Cut(v.Token, ".")
			relabelled := "v4." + rest
			for tok, want := range map[string]error{v.Token: token.ErrMalformed, relabelled: token.ErrInvalid} {
				key := v.Key
				if len(key) != localKeySize {
					key = make([]byte, localKeySize)
				}
				if _, err := mustLocal(t, key).decrypt([]byte(tok), []byte(v.Footer), []byte(v.Implicit)); !errors.Is(err, want) {
					t.Errorf("%s decrypts: %v", v.Name, err)
				}
				if _, err := new(public).verify(pub, []byte(tok), []byte(v.Footer), []byte(v.Implicit)); !errors.Is(err, want) {
					t.Errorf("%s verifies: %v", v.Name, err)
				}
			}
		}
	}
}

// The examples of the specification, and what the encoding is for.
func TestPAE(t *testing.T) {
	for _, tt := range []struct {
		pieces []string
		want   string
	}{
		{nil, "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{[]string{""}, "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
		{[]string{"test"}, "\x01\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00test"},
	} {
		if got := string(appendPAE(nil, tt.pieces...)); got != tt.want {
			t.Errorf("PAE(%q) is %q", tt.pieces, got)
		}
	}
	if a, b := appendPAE(nil, "ab", "c"), appendPAE(nil, "a", "bc"); bytes.Equal(a, b) {
		t.Error("two lists have one encoding")
	}
}

// A second text for the same token would pass by whatever names tokens by text.
func TestOneTokenHasOneText(t *testing.T) {
	for _, v := range vectors(t, "v4.json") {
		if v.ExpectFail {
			continue
		}
		variants := []string{v.Token + ".", v.Token + "=", v.Token + "\n", "\n" + v.Token, " " + v.Token,
			v.Token + ".AA", strings.ToUpper(v.Token[:9]) + v.Token[9:], v.Token[:9] + "." + v.Token[9:]}
		for i := range v.Token {
			variants = append(variants, v.Token[:i]+"\n"+v.Token[i:], v.Token[:i]+"\r"+v.Token[i:], v.Token[:i]+"="+v.Token[i:])
		}
		for _, tok := range variants {
			v.Token = tok
			if payload, err := v.open(t, v.Footer, v.Implicit); !errors.Is(err, token.ErrInvalid) || payload != nil {
				t.Fatalf("%s: took %q", v.Name, tok)
			}
		}
	}
}

func TestShortBodiesAreRefused(t *testing.T) {
	pub := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	for n := range 120 {
		body := b64.EncodeToString(make([]byte, n))
		_, err := mustLocal(t, make([]byte, 32)).decrypt([]byte(localHeader+body), nil, nil)
		if want := n < 64; errors.Is(err, token.ErrMalformed) != want || !errors.Is(err, token.ErrInvalid) {
			t.Errorf("v4.local of %d bytes: %v", n, err)
		}
		_, err = new(public).verify(pub, []byte(publicHeader+body), nil, nil)
		if want := n < 64; errors.Is(err, token.ErrMalformed) != want || !errors.Is(err, token.ErrInvalid) {
			t.Errorf("v4.public of %d bytes: %v", n, err)
		}
	}
}

func TestLocalKeySizes(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33, 64} {
		if _, err := newLocal(make([]byte, n)); err == nil {
			t.Errorf("took a key of %d bytes", n)
		}
	}
}

// Wycheproof has XChaCha20 with Poly1305, whose key takes block 0.
func TestWycheproofXChaCha20(t *testing.T) {
	b, err := os.ReadFile("testdata/wycheproof/xchacha20_poly1305_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		TestGroups []struct {
			Tests []struct {
				ID     int     `json:"tcId"`
				Key    hexText `json:"key"`
				IV     hexText `json:"iv"`
				Msg    hexText `json:"msg"`
				CT     hexText `json:"ct"`
				Result string  `json:"result"`
			} `json:"tests"`
		} `json:"testGroups"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	valid := 0
	for _, g := range set.TestGroups {
		for _, v := range g.Tests {
			stream, err := chacha20.NewUnauthenticatedCipher(v.Key, v.IV)
			if (err == nil) != (len(v.IV) == chacha20.NonceSizeX || len(v.IV) == chacha20.NonceSize) {
				t.Errorf("test %d, a nonce of %d bytes: %v", v.ID, len(v.IV), err)
			}
			if v.Result != "valid" {
				continue
			}
			stream.SetCounter(1)
			stream.XORKeyStream(v.Msg, v.Msg)
			if !bytes.Equal(v.Msg, v.CT) {
				t.Errorf("test %d encrypts to something else", v.ID)
			}
			valid++
		}
	}
	if valid < 200 {
		t.Errorf("only %d tests", valid)
	}
}
