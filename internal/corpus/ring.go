package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/carnet-go/carnet/internal/jose"
	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/keys"
)

// A material is a key with everything that its owner has. It is the same on each
// run.
type material struct {
	seal []byte
	sign ed25519.PrivateKey
}

func newMaterial(name string) material {
	seal, seed := sha256.Sum256([]byte("seal "+name)), sha256.Sum256([]byte("sign "+name))
	return material{seal[:], ed25519.NewKeyFromSeed(seed[:])}
}

func (m material) public() ed25519.PublicKey { return m.sign.Public().(ed25519.PublicKey) }

func (m material) signText(text string) []byte { return ed25519.Sign(m.sign, []byte(text)) }

// kid names the key in a format.
func (m material) kid(f keys.Format) string {
	if f == keys.JWT {
		o, err := jose.NewOpener(m.seal, m.public())
		must(err)
		return o.ID()
	}
	o, err := paseto.NewOpener(m.seal, m.public())
	must(err)
	return o.ID()
}

// must is for what can't fail with constant input.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

var (
	activeKey  = newMaterial("active")
	nextKey    = newMaterial("pre-published")
	retiredKey = newMaterial("retired")
	revokedOne = newMaterial("revoked")
	foreignKey = newMaterial("foreign") // in no ring
)

// ring returns a ring file: a key in each state.
func ring(f keys.Format) (doc string) {
	fips140.WithoutEnforcement(func() { doc = ringDocument(f) })
	return doc
}

func ringDocument(f keys.Format) string {
	const long, recent = "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"
	type object = map[string]any
	key := func(m material, state string, more object) object {
		k := object{"id": m.kid(f), "format": f, "state": state, "created_at": long, "public": []byte(m.public())}
		if state != "revoked" {
			k["seal"], k["sign"] = m.seal, m.sign.Seed()
		}
		for name, value := range more {
			k[name] = value
		}
		return k
	}
	doc, err := json.Marshal(object{
		"name": "corpus", "generation": 4, "spread_seconds": 600, "token_life_seconds": 2678400,
		"keys": []object{
			key(revokedOne, "revoked", object{"activated_at": long, "revoked_at": recent}),
			key(retiredKey, "retired", object{"activated_at": long, "retired_at": recent}),
			key(activeKey, "active", object{"activated_at": recent}),
			key(nextKey, "pre-published", nil),
		},
	})
	must(err)
	sum := sha256.Sum256(doc)
	return fmt.Sprintf(`{"kind":"carnet ring","version":1,"sha256":"%s","ring":%s}`+"\n",
		base64.RawURLEncoding.EncodeToString(sum[:]), bytes.TrimSpace(doc))
}
