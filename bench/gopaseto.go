package main

import (
	"time"

	paseto "aidanwoods.dev/go-paseto"
)

func goPaseto() []peer {
	key := paseto.NewV4SymmetricKey()
	sign := paseto.NewV4AsymmetricSecretKey()
	pub := sign.Public()
	implicit := []byte("implicit assertion")
	valid := func(t paseto.Token) error { return paseto.ValidAt(time.Now())(t) }
	parser := paseto.MakeParser([]paseto.Rule{paseto.IssuedBy(issuer), paseto.ForAudience(audience), valid})
	return []peer{{
		name:  "go-paseto v4.local",
		issue: func(data user) (string, error) { return pasetoToken(data).V4Encrypt(key, implicit), nil },
		verify: func(tok string) (user, error) {
			return pasetoData(parser.ParseV4Local(key, tok, implicit))
		},
	}, {
		name:  "go-paseto v4.public",
		issue: func(data user) (string, error) { return pasetoToken(data).V4Sign(sign, implicit), nil },
		verify: func(tok string) (user, error) {
			return pasetoData(parser.ParseV4Public(pub, tok, implicit))
		},
	}}
}

func pasetoToken(data user) *paseto.Token {
	c, t := newClaims(data), paseto.NewToken()
	t.SetIssuer(c.Issuer)
	t.SetAudience(c.Audience)
	t.SetSubject(c.Subject)
	t.SetJti(c.ID)
	t.SetIssuedAt(seconds(c.IssuedAt))
	t.SetNotBefore(seconds(c.NotBefore))
	t.SetExpiration(seconds(c.ExpiresAt))
	t.SetString("sid", c.SessionID)
	check(t.Set("data", c.Data))
	return &t
}

func pasetoData(t *paseto.Token, err error) (data user, _ error) {
	if err != nil {
		return user{}, err
	}
	err = t.Get("data", &data)
	return data, err
}
