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

// foreign was made from payload, with the keys of newHolder, by the npm package
// paseto-ts 2.0.7.
const foreign = "v4.local.z5XCE8w1WD_9If76-mUlP8EvVbfcbY1kZxHfcj31GK085AkPNVkL2dbGhRL7bpHJrI9AN91YcR5waWB9Ntv2v394WAtdWK3WkifNogF0QMU" +
	"HACbflJkdR7opCQBeXWwu8UwEGJUzc75FFzTcjzEFFRGpByCmJeoIwT28DENlHZSyNrKapCCU-EnQH56W11NxcNXZxjeG0884y19BSOGR3o5_OXRPU_g" +
	"5ntGBrnbg5oums7o1TRkyP2iiX6wmhH4F_XHrIK7pOOcbYA4Lg3walHkugW58GZvVo6iE5XbJYvQWXITaKF_C3yqu1vHFGkAl4EKMkfCuVlaBImJTsc-" +
	"18pPiR49hJL5vIBQr1qWrs4QWXyuEr8YyCGSq1-cQ36hmWSHUmnRDm1xFqiYdHteiNFmPbhrwIDfmJEG2-gT3wdyGb5Q2TKOOTgFNQXc6MId__jJy5Y1" +
	"6tTitpLHJPamFhOtE3POXcebxlqfrprlEGKdI_788r2BJ_TYnQDK8fHhTDB1d8Yj2eKSi5mq_wujwQnM8WBED3eC1UAXjDvMeerlFKcXodPmGXg0v7OV" +
	"Klwq_D_oVYFpvBBNEd0krih8KG3DiKkMP6DMnaGHU0C2iYwZf4gVdRI97EBTQ-W-RJkLScHcowoTAhtRZTFjrGxiLIni524AMSpVYeMhbEovhwK22uan" +
	"QHC1DDm2d.eyJraWQiOiJrNC5saWQuRndzZXlhTDdNZmJxV01fYktZSmpVekcyaWpMOXB2QjUzc0FaMU5nTVRTRi0ifQ"

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
		Raw:       `{"Name":"Alice"}`,
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

// envelope seals any text as the inner token.
func (h holder) envelope(inner string, b token.Binding) string {
	return h.sealed(`{"token":"`+inner+`"}`, b)
}

// sealed returns a v4.local of any text.
func (h holder) sealed(payload string, b token.Binding) string {
	nonce, footer := strings.Repeat("n", 32), `{"kid":"`+h.ID()+`"}`
	c := h.xor(nonce, payload)
	tag := mac(32, mac(32, string(h.secret), "paseto-auth-key-for-aead"+nonce), pae("v4.local.", nonce, c, footer, assertion(b)))
	return "v4.local." + b64.EncodeToString([]byte(nonce+c+tag)) + "." + b64.EncodeToString([]byte(footer))
}

// content takes the payload out of the envelope.
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
