package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"

	"github.com/golang-jwt/jwt/v5"
)

type golangClaims struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid"`
	Data      user   `json:"data"`
}

func golangJWT() []peer {
	secret := []byte("0123456789abcdef0123456789abcdef")
	pub, priv, err := ed25519.GenerateKey(nil)
	check(err)
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return []peer{
		golangPeer("golang-jwt HS256", jwt.SigningMethodHS256, secret, secret),
		golangPeer("golang-jwt EdDSA", jwt.SigningMethodEdDSA, priv, pub),
		golangPeer("golang-jwt ES256", jwt.SigningMethodES256, ec, &ec.PublicKey),
	}
}

func golangPeer(name string, m jwt.SigningMethod, sign, verify any) peer {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{m.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired())
	keyFunc := func(*jwt.Token) (any, error) { return verify, nil }
	return peer{
		name: name,
		issue: func(data user) (string, error) {
			c := newClaims(data)
			return jwt.NewWithClaims(m, &golangClaims{jwt.RegisteredClaims{
				Issuer: c.Issuer, Audience: jwt.ClaimStrings{c.Audience}, Subject: c.Subject, ID: c.ID,
				IssuedAt:  jwt.NewNumericDate(seconds(c.IssuedAt)),
				NotBefore: jwt.NewNumericDate(seconds(c.NotBefore)),
				ExpiresAt: jwt.NewNumericDate(seconds(c.ExpiresAt)),
			}, c.SessionID, c.Data}).SignedString(sign)
		},
		verify: func(tok string) (user, error) {
			var c golangClaims
			_, err := parser.ParseWithClaims(tok, &c, keyFunc)
			return c.Data, err
		},
	}
}
