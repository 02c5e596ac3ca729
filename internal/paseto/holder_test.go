package paseto_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20"

	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/token"
)

var (
	session = token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"}
	b64     = base64.RawURLEncoding
)

// payload is what claims says.
const payload = `{"iss":"example.com","sub":"alice","aud":"web","exp":"2025-11-24T16:30:00Z","iat":"2025-11-24T16:00:00Z",` +
	`"jti":"iiiiiiiiiiiiiiiiiiiiii","sid":"ssssssssssssssssssssss","auth_time":"2025-11-24T16:00:00.123456Z",` +
	`"ends":"2025-11-25T04:00:00Z","data":{"Name":"Alice"}}`

// foreign was made from payload, with the keys of newHolder, by the primitives
// of the npm package paseto-ts 2.0.7.
const foreign = "v4.local.YSBub25jZSB0aGF0IGlzIHVzZWQgaW4gdGVzdHMgLi5Ug0YGDvkkMzw9Ababq-Lq7aGNj0bDo3WGm36IwqCuX0i9q5a65UnI" +
	"ljM5aQcBEUlreRh38ONBceRGOEij5gB_AbkzsE8Zq2KLMnneUml5hxL9j0jM7eqHbd-Q93s37UYcoT5752z5jduXzQmgdYiEWEYU2l9S8Kkx-kWwzL3F" +
	"zpXrgNR_3t2beWReXEnaXDf1L5Zq8aOKqvcCKtT3RO51yVT7uACT-lWIw3mRIdc88mb5BzwWPA-hEPHk00JrYbtDwiJz-szEY3HZBdWW-LOtcw3ln8pC" +
	"80lRtrAfcVve-eAAAVpE_Z-qSxceY3y_T6LIlyFqGscz8Firpz-74AcErQcF4A6YPxvLKEWe-vtjjf5xGc89tu3pAljR_Bpb5O9G-RB9LqswIMjfFsK_" +
	"D2jYaAmZ5HQh0YATd7c2x5L304_BpfQKMwEWA2X8bT1pBRiNbeORo8Q4lGGxsT3tjb2g3dNSWhcfqsz2wg1L6_RwE_rA46-rf05UjlqGayIZq6WEhM6s" +
	"LujZr4GM67iu46fleo-kYAm8_L0s_dskjZW_NBpIvGwrLYkugJyEgWUkGIny5EMfb21Ykd6xl1qmFQei8jKrihnfNI3qcp-3l7qJ1XZSvq-hKjt7q93A" +
	"mlCz.eyJraWQiOiJrNC5saWQuRndzZXlhTDdNZmJxV01fYktZSmpVekcyaWpMOXB2QjUzc0FaMU5nTVRTRi0ifQ"

func claims() token.Claims {
	return token.Claims{
		Binding:   session,
		ID:        strings.Repeat("i", 22),
		SessionID: strings.Repeat("s", 22),
		Subject:   "alice",
		StartedAt: time.Date(2025, 11, 24, 16, 0, 0, 123456000, time.UTC),
		IssuedAt:  time.Date(2025, 11, 24, 16, 0, 0, 0, time.UTC),
		ExpiresAt: time.Date(2025, 11, 24, 16, 30, 0, 0, time.UTC),
		EndsAt:    time.Date(2025, 11, 25, 4, 0, 0, 0, time.UTC),
		Raw:       []byte(`{"Name":"Alice"}`),
	}
}

func seal(t testing.TB, s token.Sealer, c token.Claims) string {
	t.Helper()
	tok, err := s.Seal(c)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// A holder has everything that a ring's owner has, and mints what no ring would.
// It follows the specification on its own, so that the package is not compared
// with itself.
type holder struct {
	*paseto.Sealer
	secret []byte
	priv   ed25519.PrivateKey
}

func newHolder(t testing.TB) holder {
	t.Helper()
	return holder{
		secret: []byte("0123456789abcdef0123456789abcdef"),
		priv:   ed25519.NewKeyFromSeed([]byte("fedcba9876543210fedcba9876543210")),
	}.rebuild(t)
}

// rebuild makes the Sealer of changed keys.
func (h holder) rebuild(t testing.TB) holder {
	t.Helper()
	var err error
	if h.Sealer, err = paseto.NewSealer(h.secret, h.priv); err != nil {
		t.Fatal(err)
	}
	return h
}

func pae(pieces ...string) string {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(pieces)))
	for _, p := range pieces {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	return string(b)
}

func assertion(b token.Binding) string {
	return pae("carnet/v1", string(b.Purpose), b.Issuer, b.Audience)
}

// signed returns a v4.public without footer.
func (h holder) signed(payload string, b token.Binding) string {
	sig := ed25519.Sign(h.priv, []byte(pae("v4.public.", payload, "", assertion(b))))
	return "v4.public." + b64.EncodeToString([]byte(payload+string(sig)))
}

// envelope seals any text as the content of a token.
func (h holder) envelope(inner string, b token.Binding) string {
	nonce, footer := strings.Repeat("n", 32), `{"kid":"`+h.ID()+`"}`
	c := h.xor(nonce, inner)
	tag := mac(32, mac(32, string(h.secret), "paseto-auth-key-for-aead"+nonce), pae("v4.local.", nonce, c, footer, assertion(b)))
	return "v4.local." + b64.EncodeToString([]byte(nonce+c+tag)) + "." + b64.EncodeToString([]byte(footer))
}

// content takes a token's text out of its envelope.
func (h holder) content(tok string) string {
	body, _ := b64.DecodeString(strings.Split(tok, ".")[2])
	return h.xor(string(body[:32]), string(body[32:len(body)-32]))
}

func (h holder) xor(nonce, text string) string {
	d := mac(56, string(h.secret), "paseto-encryption-key"+nonce)
	c, err := chacha20.NewUnauthenticatedCipher([]byte(d[:32]), []byte(d[32:]))
	if err != nil {
		panic(err)
	}
	out := []byte(text)
	c.XORKeyStream(out, out)
	return string(out)
}

func mac(size int, key, text string) string {
	h, err := blake2b.New(size, []byte(key))
	if err != nil {
		panic(err)
	}
	h.Write([]byte(text))
	return string(h.Sum(nil))
}
