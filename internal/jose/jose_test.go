package jose_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/internal/jose"
	"github.com/carnet-go/carnet/token"
)

var session = token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"}

// A holder has everything that a ring's owner has, and mints what no ring would.
type holder struct {
	*jose.Sealer
	secret []byte
	priv   ed25519.PrivateKey
}

func newHolder(t testing.TB) holder {
	t.Helper()
	secret := []byte("0123456789abcdef0123456789abcdef")
	priv := ed25519.NewKeyFromSeed([]byte("fedcba9876543210fedcba9876543210"))
	s, err := jose.NewSealer(secret, priv)
	if err != nil {
		t.Fatal(err)
	}
	return holder{s, secret, priv}
}

var b64 = base64.RawURLEncoding

// envelope seals any text as the content of a token.
func (h holder) envelope(inner string) string {
	block, _ := aes.NewCipher(h.secret)
	aead, _ := cipher.NewGCMWithRandomNonce(block)
	sealed := aead.Seal(nil, nil, []byte(inner), []byte(h.Label()))
	n := len(sealed) - 16
	return strings.Join([]string{h.Label(), "", b64.EncodeToString(sealed[:12]),
		b64.EncodeToString(sealed[12:n]), b64.EncodeToString(sealed[n:])}, ".")
}

func (h holder) signed(header, payload string) string {
	signing := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	return signing + "." + b64.EncodeToString(ed25519.Sign(h.priv, []byte(signing)))
}

const (
	header  = `{"alg":"EdDSA","typ":"session+jwt"}`
	payload = `{"iss":"example.com","aud":"web","sub":"alice","sid":"ssssssssssssssssssssss","jti":"iiiiiiiiiiiiiiiiiiiiii",` +
		`"auth_us":1764000000123456,"iat":1764000000,"exp":1764001800,"end":1764043200,"data":{"Name":"Alice"}}`
)

func claims() token.Claims {
	return token.Claims{
		Binding:   session,
		ID:        strings.Repeat("i", 22),
		SessionID: strings.Repeat("s", 22),
		Subject:   "alice",
		StartedAt: time.UnixMicro(1764000000123456).UTC(),
		IssuedAt:  time.Unix(1764000000, 0).UTC(),
		ExpiresAt: time.Unix(1764001800, 0).UTC(),
		EndsAt:    time.Unix(1764043200, 0).UTC(),
		Raw:       `{"Name":"Alice"}`,
	}
}

// The bytes are a promise: what is written here by hand is what Seal writes.
func TestOpenReadsTheDocumentedBytes(t *testing.T) {
	h := newHolder(t)
	c, err := h.Open(h.envelope(h.signed(header, payload)), session)
	if err != nil {
		t.Fatal(err)
	}
	want := claims()
	if c.KeyID != h.ID() || c.SessionID != want.SessionID || !c.StartedAt.Equal(want.StartedAt) || string(c.Raw) != string(want.Raw) {
		t.Error("other claims than were sealed")
	}
	if wantHeader := `{"alg":"dir","cty":"JWT","enc":"A256GCM","kid":"` + h.ID() + `"}`; h.Label() != b64.EncodeToString([]byte(wantHeader)) {
		t.Error("another header than is documented")
	}
}

func TestGenuineSealsWithOtherContentsAreRefused(t *testing.T) {
	h := newHolder(t)
	replace := func(old, new string) string { return h.signed(header, strings.Replace(payload, old, new, 1)) }
	for name, tt := range map[string]struct {
		inner string
		want  error
	}{
		"nothing":                   {"", token.ErrMalformed},
		"claims without signature":  {payload, token.ErrMalformed},
		"no signature":              {b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload)) + ".", token.ErrMalformed},
		"a signature too many":      {h.signed(header, payload) + "." + strings.Repeat("A", 86), token.ErrInvalid},
		"a line feed at the end":    {h.signed(header, payload) + "\n", token.ErrMalformed},
		"alg none":                  {h.signed(`{"alg":"none","typ":"session+jwt"}`, payload), token.ErrMalformed},
		"alg HS256":                 {h.signed(`{"alg":"HS256","typ":"session+jwt"}`, payload), token.ErrMalformed},
		"an extension in crit":      {h.signed(`{"alg":"EdDSA","typ":"session+jwt","crit":["b64"],"b64":false}`, payload), token.ErrMalformed},
		"a key of its own":          {h.signed(`{"alg":"EdDSA","typ":"session+jwt","jwk":{}}`, payload), token.ErrMalformed},
		"typ in other case":         {h.signed(`{"alg":"EdDSA","typ":"Session+JWT"}`, payload), token.ErrMalformed},
		"white space in the header": {h.signed(`{"alg":"EdDSA", "typ":"session+jwt"}`, payload), token.ErrMalformed},
		"a refresh token":           {h.signed(`{"alg":"EdDSA","typ":"refresh+jwt"}`, payload), token.ErrBinding},
		"a challenge":               {h.signed(`{"alg":"EdDSA","typ":"challenge+jwt"}`, payload), token.ErrBinding},
		"a token in a token":        {h.envelope(h.signed(header, payload)), token.ErrMalformed},
		"another signer": {func() string {
			other := h
			other.priv = ed25519.NewKeyFromSeed(make([]byte, 32))
			return other.signed(header, payload)
		}(), token.ErrInvalid},
		"a name twice":             {replace(`"sub":"alice"`, `"sub":"alice","sub":"root"`), token.ErrMalformed},
		"a name twice in the data": {replace(`"Name":"Alice"`, `"Name":"Alice","Name":"root"`), token.ErrMalformed},
		"a name twice by escapes":  {replace(`"sub":"alice"`, `"sub":"alice","s\u0075b":"root"`), token.ErrMalformed},
		"two objects":              {h.signed(header, payload+payload), token.ErrMalformed},
		"a trailing comma":         {h.signed(header, payload[:len(payload)-1]+",}"), token.ErrMalformed},
		"a byte order mark":        {h.signed(header, "\ufeff"+payload), token.ErrMalformed},
		"broken UTF-8":             {replace("alice", "ali\xffce"), token.ErrMalformed},
		"an array":                 {h.signed(header, "["+payload+"]"), token.ErrMalformed},
		"null":                     {h.signed(header, "null"), token.ErrClaims},
		"deep data":                {replace(`{"Name":"Alice"}`, strings.Repeat("[", 16)+strings.Repeat("]", 16)), token.ErrMalformed},
		"exp as a string":          {replace(`"exp":1764001800`, `"exp":"1764001800"`), token.ErrMalformed},
		"exp with a fraction":      {replace(`"exp":1764001800`, `"exp":1764001800.5`), token.ErrMalformed},
		"exp with an exponent":     {replace(`"exp":1764001800`, `"exp":1764e6`), token.ErrMalformed},
		"exp with a zero fraction": {replace(`"exp":1764001800`, `"exp":1764001800.0`), token.ErrMalformed},
		"exp with a leading zero":  {replace(`"exp":1764001800`, `"exp":01764001800`), token.ErrMalformed},
		"exp as minus zero":        {replace(`"exp":1764001800`, `"exp":-0`), token.ErrClaims},
		"exp as NaN":               {replace(`"exp":1764001800`, `"exp":NaN`), token.ErrMalformed},
		"exp true":                 {replace(`"exp":1764001800`, `"exp":true`), token.ErrMalformed},
		"exp of 300 digits":        {replace(`"exp":1764001800`, `"exp":`+strings.Repeat("1", 300)), token.ErrMalformed},
		"a number of 257 digits":   {replace(`{"Name":"Alice"}`, strings.Repeat("1", 257)), token.ErrMalformed},
		"257 members in the data":  {replace(`{"Name":"Alice"}`, members(257)), token.ErrMalformed},
		"exp beyond int64":         {replace(`"exp":1764001800`, `"exp":9223372036854775808`), token.ErrMalformed},
		"exp in the year 10000":    {replace(`"exp":1764001800`, `"exp":253402300800`), token.ErrClaims},
		"exp null":                 {replace(`"exp":1764001800`, `"exp":null`), token.ErrClaims},
		"exp negative":             {replace(`"exp":1764001800`, `"exp":-1`), token.ErrClaims},
		"no exp":                   {replace(`"exp":1764001800,`, ``), token.ErrClaims},
		"EXP":                      {replace(`"exp"`, `"EXP"`), token.ErrClaims},
		"no iat":                   {replace(`"iat":1764000000,`, ``), token.ErrClaims},
		"no auth_us":               {replace(`"auth_us":1764000000123456,`, ``), token.ErrClaims},
		"no end":                   {replace(`"end":1764043200,`, ``), token.ErrClaims},
		"no data":                  {replace(`,"data":{"Name":"Alice"}`, ``), token.ErrClaims},
		"nbf":                      {replace(`"iat"`, `"nbf":1764000000,"iat"`), token.ErrClaims},
		"sub as a number":          {replace(`"alice"`, `7`), token.ErrMalformed},
		"aud as an array":          {replace(`"web"`, `["web","api"]`), token.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := h.Open(h.envelope(tt.inner), session)
			if !errors.Is(err, tt.want) || !errors.Is(err, token.ErrInvalid) || c.ID != "" {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if tt.want == token.ErrInvalid && err != token.ErrInvalid {
				t.Errorf("a bad signature says %v", err)
			}
		})
	}
}

// members returns an object with n of them.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// One character, at any position, changed to any other of the alphabet or to a
// few that are not in it.
func TestEveryCharacterCounts(t *testing.T) {
	h := newHolder(t)
	tok, err := h.Seal(claims())
	if err != nil {
		t.Fatal(err)
	}
	const others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\r\x00\xff"
	for i := range tok {
		for _, other := range []byte(others) {
			if tok[i] == other {
				continue
			}
			altered := tok[:i] + string(rune(other)) + tok[i+1:]
			if _, err := h.Open(altered, session); !errors.Is(err, token.ErrInvalid) {
				t.Fatalf("%q at %d: got %v", other, i, err)
			}
		}
	}
	for i := range tok {
		if _, err := h.Open(tok[:i], session); !errors.Is(err, token.ErrInvalid) {
			t.Fatalf("cut at %d: got %v", i, err)
		}
		if _, err := h.Open(tok[:i]+tok[i+1:], session); !errors.Is(err, token.ErrInvalid) {
			t.Fatalf("without %d: got %v", i, err)
		}
		if _, err := h.Open(tok[:i]+"\n"+tok[i:], session); !errors.Is(err, token.ErrInvalid) {
			t.Fatalf("a line feed at %d: got %v", i, err)
		}
	}
}

func TestSealRefusesAnUnknownPurpose(t *testing.T) {
	c := claims()
	c.Purpose = "admin"
	if tok, err := newHolder(t).Seal(c); err == nil {
		t.Errorf("sealed in %d bytes", len(tok))
	}
}

func TestKeysOfTheWrongSize(t *testing.T) {
	pub, priv, _ := ed25519.GenerateKey(nil)
	for _, secret := range [][]byte{nil, make([]byte, 16), make([]byte, 31), make([]byte, 33)} {
		if _, err := jose.NewSealer(secret, priv); err == nil {
			t.Errorf("took a secret of %d bytes", len(secret))
		}
	}
	if _, err := jose.NewOpener(make([]byte, 32), pub[:31]); err == nil {
		t.Error("took a public key of 31 bytes")
	}
	for _, small := range []byte{0, 1} { // zeros are a signature under these
		if _, err := jose.NewOpener(make([]byte, 32), append([]byte{small}, make([]byte, 31)...)); err == nil {
			t.Errorf("took a public key of small order")
		}
	}
}

// The footer of a PASETO is as long as our header, and can end like it.
func TestAnotherFormatsLabelHasNoID(t *testing.T) {
	footer := base64.RawURLEncoding.EncodeToString([]byte(`{"kid":"k4.lid.V7OdgjVaVpckWZTv8r2V0sgTmFdsfQNVI6ffsgJmK3QQ"}`))
	if id, ok := jose.LabelID(footer); ok {
		t.Errorf("got %q", id)
	}
}

// minted is a token of newHolder. A worker of the fuzzer is another process than the
// one that made the seeds, so a token of the moment would not be the same in both.
const minted = "eyJhbGciOiJkaXIiLCJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiRWlkS1EwaW8taHcifQ..w8nsOfpUZGDIzkaa.Vzpjd6B0A" +
	"xsIRWQgz6SMUxCUXbtyRTzz8y-QnaKNr7LZD7vVg0obXUmLIqEtBu3WgE2FO0M8PU2XzijIXaM1ps6cFOMeH6WXi1FDor9GEoEBvgY_mvkODAT" +
	"5pEpSsJdx-fTz4GeAtLDsRPAtGmJzYqwcNh5eJDxkJ2zrvncwpAgRIaQ3yRpU7UL-m5XM3lNPHyd8kvKEP6L6Vww5fjb6nqrCu3aQsrsA9w-1G" +
	"YQ4CmabRBMkjIyfUY1aof_jCmkaDupee_BkynZf69mxbKS_dL2q5tpAO_IiJcuqtBzzmo-k3O1PtN6G_c2_6G8ZIA8SyArf9TTzYh9mvH9I8lA" +
	"Fvink2pgGv4njvGfW_9fG17nYi1nWJanLUhpHpBoywL4ERiGn5LrtOsTf-GTCMtTbb4Y-VMNV4MPXY_No6cmk6xZsyF2bdWHGTvnKFPVhQPtmN" +
	"bxPrMMrQgK9UrrLiwoSq76q2zXCknFp_QLiffSpcWFVu15I-VJBhFBnNVY5kojyDi6vRh45p3mVgeazrXR-QbI0bvBGZQCrHbeGZxoxGp59.fY" +
	"FL4im4U_moJfBZDBf03Q"

func FuzzOpen(f *testing.F) {
	h := newHolder(f)
	const tok = minted
	for _, seed := range []string{tok, "", "....", h.Label(), h.Label() + "....", tok[:len(tok)-1], tok + ".",
		strings.Repeat(".", 100), strings.ToUpper(tok)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if l, ok := jose.Label(s); ok {
			jose.LabelID(l)
		}
		if _, err := h.Open(s, session); (err == nil) != (s == tok) {
			t.Errorf("%q: %v", s, err)
		}
	})
}

// What is inside the envelope comes from a holder of the sealing secret, which
// every verify-only node is.
func FuzzOpenInner(f *testing.F) {
	h := newHolder(f)
	for _, seed := range []string{h.signed(header, payload), "", "..", payload} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, inner string) {
		if _, err := h.Open(h.envelope(inner), session); err == nil && inner != h.signed(header, payload) {
			t.Errorf("took %q", inner)
		}
	})
}

func FuzzPayload(f *testing.F) {
	h := newHolder(f)
	f.Add(payload)
	f.Add(`{}`)
	f.Add(`{"iss":null}`)
	f.Fuzz(func(t *testing.T, payload string) {
		c, err := h.Open(h.envelope(h.signed(header, payload)), session)
		if err != nil {
			if !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%q: %v", payload, err)
			}
			return
		}
		tok, err := h.Seal(c)
		if err != nil {
			t.Fatalf("can't seal what was opened: %v", err)
		}
		again, err := h.Open(tok, session)
		if err != nil || again.Subject != c.Subject || !again.ExpiresAt.Equal(c.ExpiresAt) {
			t.Errorf("%q does not survive a round: %v", payload, err)
		}
	})
}
