package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"

	carnetjose "github.com/carnet-go/carnet/internal/jose"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// sizes says how long tokens are, and how much data fits.
func sizes() []string {
	lines := []string{}
	for _, w := range works() {
		ours, theirs := sameClaims(w.data)
		lines = append(lines, fmt.Sprintf("%s session: a nested JWT of carnet has %d bytes, one of go-jose with the same claims %d",
			w.name, ours, theirs))
	}
	for _, f := range []keys.Format{keys.JWT, keys.PASETO} {
		lines = append(lines, fmt.Sprintf("%d bytes of data fit one cookie of 4,096 bytes (%s)", room(f), f))
	}
	return lines
}

// sameClaims returns the lengths of a token of carnet and of one by go-jose that
// says the same, with headers that do.
func sameClaims(data user) (ours, theirs int) {
	k := newKey()
	s := must(carnetjose.NewSealer(k.secret, k.priv))
	tok, session, err := token.NewIssuer[user](s, config).Issue(subject, data)
	check(err)
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: k.priv}, (&jose.SignerOptions{}).WithType("session+jwt")))
	crypter := must(jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: k.secret, KeyID: s.ID()},
		(&jose.EncrypterOptions{}).WithContentType("JWT")))
	other := must(josejwt.SignedAndEncrypted(signer, crypter).Claims(carnetPayload{
		session.Issuer, session.Audience, session.Subject, session.SessionID, session.ID, session.StartedAt.UnixMicro(),
		session.IssuedAt.Unix(), session.ExpiresAt.Unix(), session.EndsAt.Unix(), data}).Serialize())
	return len(tok), len(other)
}

// room returns how many bytes of data fit with the names of a usual service.
func room(f keys.Format) int {
	i := token.NewIssuer[json.RawMessage](newRing(f), token.Config{Issuer: "example.com", Audience: "web"})
	fits := 0
	for n := 1500; n < 2500; n++ {
		if _, _, err := i.Issue("alice", json.RawMessage(`"`+strings.Repeat("x", n-2)+`"`)); err != nil {
			break
		}
		fits = n
	}
	return fits
}
