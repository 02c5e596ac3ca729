package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

func seconds(s int64) time.Time { return time.Unix(s, 0) }

func secret32() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// The kid has as many characters as carnet's, for the sake of the sizes.
const kid = "abcdefghijk"

func goJose() peer {
	pub, priv, err := ed25519.GenerateKey(nil)
	check(err)
	key := secret32()
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: priv}, (&jose.SignerOptions{}).WithType("JWT")))
	crypter := must(jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: kid},
		(&jose.EncrypterOptions{}).WithContentType("JWT")))
	return peer{
		name: "go-jose nested",
		issue: func(data user) (string, error) {
			return josejwt.SignedAndEncrypted(signer, crypter).Claims(newClaims(data)).Serialize()
		},
		verify: func(tok string) (user, error) {
			nested, err := josejwt.ParseSignedAndEncrypted(tok, []jose.KeyAlgorithm{jose.DIRECT},
				[]jose.ContentEncryption{jose.A256GCM}, []jose.SignatureAlgorithm{jose.EdDSA})
			if err != nil {
				return user{}, err
			}
			signed, err := nested.Decrypt(key)
			if err != nil {
				return user{}, err
			}
			var c claims
			if err := signed.Claims(pub, &c); err != nil {
				return user{}, err
			}
			return c.Data, c.judge()
		},
	}
}

func jwxNested() peer {
	pub, priv, err := ed25519.GenerateKey(nil)
	check(err)
	key := secret32()
	return peer{
		name: "jwx nested",
		issue: func(data user) (string, error) {
			c := newClaims(data)
			t, err := jwt.NewBuilder().Issuer(c.Issuer).Audience([]string{c.Audience}).Subject(c.Subject).JwtID(c.ID).
				IssuedAt(seconds(c.IssuedAt)).NotBefore(seconds(c.NotBefore)).Expiration(seconds(c.ExpiresAt)).
				Claim("sid", c.SessionID).Claim("data", c.Data).Build()
			if err != nil {
				return "", err
			}
			signed, err := jwt.Sign(t, jwt.WithKey(jwa.EdDSA(), priv))
			if err != nil {
				return "", err
			}
			h := jwe.NewHeaders()
			check(h.Set(jwe.ContentTypeKey, "JWT"))
			check(h.Set(jwe.KeyIDKey, kid))
			tok, err := jwe.Encrypt(signed, jwe.WithKey(jwa.DIRECT(), key),
				jwe.WithContentEncryption(jwa.A256GCM()), jwe.WithProtectedHeaders(h))
			return string(tok), err
		},
		verify: func(tok string) (user, error) {
			inner, err := jwe.Decrypt([]byte(tok), jwe.WithKey(jwa.DIRECT(), key))
			if err != nil {
				return user{}, err
			}
			t, err := jwt.Parse(inner, jwt.WithKey(jwa.EdDSA(), pub), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
				jwt.WithTypedClaim("data", user{}))
			if err != nil {
				return user{}, err
			}
			var data user
			err = t.Get("data", &data)
			return data, err
		},
	}
}
