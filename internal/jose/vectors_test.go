package jose

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"

	"github.com/carnet-go/carnet/token"
)

var session = token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	b, ok := appendDecoded(nil, []byte(text))
	if !ok {
		t.Fatalf("%q is no base64url", text)
	}
	return b
}

// The example of RFC 8037 (appendix A.4), the only one of its kind: an EdDSA
// signature. Ed25519 is deterministic, so signing gives the same letters.
func TestRFC8037Signature(t *testing.T) {
	var v struct {
		Input struct {
			Key struct {
				X string `json:"x"`
				D string `json:"d"`
			} `json:"key"`
		} `json:"input"`
		Signing struct {
			Input     string `json:"sig-input"`
			Signature string `json:"sig"`
		} `json:"signing"`
		Output struct {
			Compact string `json:"compact"`
		} `json:"output"`
	}
	readJSON(t, "cookbook/curve25519/jws.json", &v)
	priv := ed25519.NewKeyFromSeed(decoded(t, v.Input.Key.D))
	if x := b64.EncodeToString(priv[32:]); x != v.Input.Key.X {
		t.Errorf("the public key is %s, want %s", x, v.Input.Key.X)
	}
	sig, err := jwt.SigningMethodEdDSA.Sign(v.Signing.Input, priv)
	if err != nil || b64.EncodeToString(sig) != v.Signing.Signature {
		t.Errorf("the signature is another: %v", err)
	}
	if err := jwt.SigningMethodEdDSA.Verify(v.Signing.Input, sig, priv.Public()); err != nil {
		t.Errorf("it does not hold: %v", err)
	}
	// The key alone does not make a token: the example has no typ.
	s := mustSealer(t, priv)
	if _, err := s.Open(s.envelope(&buffer{text: []byte(v.Output.Compact)}), session); err != token.ErrMalformed {
		t.Errorf("the example in a genuine envelope: %v", err)
	}
}

func mustSealer(t *testing.T, priv ed25519.PrivateKey) *Sealer {
	t.Helper()
	s, err := NewSealer(bytes.Repeat([]byte{7}, 32), priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var compact = regexp.MustCompile(`[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]*){2,4}`)

// No example of RFC 7515, 7516, 7519, 7520, 7797 and 8037 is a token of ours:
// none has both dir with A256GCM and EdDSA. All are refused, for their form, as
// they stand and in an envelope that is genuine.
func TestRFCExamplesAreRefused(t *testing.T) {
	s := mustSealer(t, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32)))
	files, examples := 0, map[string]bool{}
	for _, dir := range []string{"testdata/rfc", "testdata/cookbook"} {
		err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.Contains(file, "LICENSE") || strings.Contains(file, "SOURCE") {
				return err
			}
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			files++
			examples[strings.TrimSpace(string(b))] = true // a JSON serialisation, or what holds one
			for _, tok := range compact.FindAllString(string(b), -1) {
				examples[tok] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 30 || len(examples) < 50 {
		t.Fatalf("only %d examples in %d files", len(examples), files)
	}
	for tok := range examples {
		for _, tok := range []string{tok, s.label + tok[min(len(tok), len(s.label)):], s.envelope(&buffer{text: []byte(tok)})} {
			want := token.ErrMalformed
			if len(tok) > token.MaxSize {
				want = token.ErrTooLarge
			}
			if _, err := s.Open(tok, session); err != want {
				t.Errorf("%.60s…: got %v", tok, err)
			}
		}
	}
}

type hexText []byte

func (h *hexText) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

type wycheproof struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []struct {
		IVSize    int `json:"ivSize"`
		KeySize   int `json:"keySize"`
		TagSize   int `json:"tagSize"`
		PublicKey struct {
			PK hexText `json:"pk"`
		} `json:"publicKey"`
		Tests []struct {
			ID     int     `json:"tcId"`
			Key    hexText `json:"key"`
			IV     hexText `json:"iv"`
			AAD    hexText `json:"aad"`
			Msg    hexText `json:"msg"`
			CT     hexText `json:"ct"`
			Tag    hexText `json:"tag"`
			Sig    hexText `json:"sig"`
			Result string  `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

// The signature check of both formats is this one.
func TestWycheproofEd25519(t *testing.T) {
	var set wycheproof
	readJSON(t, "wycheproof/ed25519_test.json", &set)
	n := 0
	for _, g := range set.TestGroups {
		for _, v := range g.Tests {
			err := jwt.SigningMethodEdDSA.Verify(string(v.Msg), v.Sig, ed25519.PublicKey(g.PublicKey.PK))
			if (err == nil) != (v.Result == "valid") {
				t.Errorf("test %d is %s, but: %v", v.ID, v.Result, err)
			}
			n++
		}
	}
	if n != set.NumberOfTests || n == 0 {
		t.Errorf("ran %d of %d", n, set.NumberOfTests)
	}
}

// Each vector is put into the form of an envelope and opened as one. Sizes other
// than ours can't be: the key is refused, or the form.
func TestWycheproofAESGCM(t *testing.T) {
	var set wycheproof
	readJSON(t, "wycheproof/aes_gcm_test.json", &set)
	pub := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	ours, others := 0, 0
	for _, g := range set.TestGroups {
		for _, v := range g.Tests {
			o, err := NewOpener(v.Key, pub)
			if (err == nil) != (g.KeySize == 256) {
				t.Fatalf("a key of %d bits: %v", g.KeySize, err)
			}
			if err != nil {
				others++
				continue
			}
			o.label, o.aad = "", v.AAD
			text := ".." + b64.EncodeToString(v.IV) + "." + b64.EncodeToString(v.CT) + "." + b64.EncodeToString(v.Tag)
			msg, err := o.openEnvelope(text, new(buffer))
			switch {
			case g.IVSize != 96 || g.TagSize != 128:
				others++
				if !errors.Is(err, token.ErrMalformed) {
					t.Errorf("test %d of other sizes: %v", v.ID, err)
				}
				continue
			case v.Result == "valid" && (err != nil || !bytes.Equal(msg, v.Msg)):
				t.Errorf("test %d opens to %x, %v", v.ID, msg, err)
			case v.Result != "valid" && err != token.ErrInvalid:
				t.Errorf("test %d is %s, but: %v", v.ID, v.Result, err)
			}
			ours++
		}
	}
	if ours+others != set.NumberOfTests || ours != 66 {
		t.Errorf("ran %d and refused %d of %d", ours, others, set.NumberOfTests)
	}
}
