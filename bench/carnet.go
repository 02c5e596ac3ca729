package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	gopaseto "aidanwoods.dev/go-paseto"

	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

var config = token.Config{Issuer: issuer, Audience: audience, Lifetime: lifetime, MaxAge: lifetime, MaxSize: token.MaxSize}

func newRing(f keys.Format) *keys.Ring {
	set := must(keys.NewSet(f, keys.Policy{}))
	return must(set.Ring())
}

func carnetPeers() []peer {
	return []peer{
		carnetPeer(ours, newRing(keys.JWT)),
		carnetPeer(oursPASETO, newRing(keys.PASETO)),
	}
}

// carnetPeer verifies cold: the ring keeps no tokens.
func carnetPeer(name string, ring *keys.Ring) peer {
	ring.SetCache(0)
	i := token.NewIssuer[user](ring, config)
	v := i.Verifier()
	return peer{
		name: name,
		issue: func(data user) (string, error) {
			tok, _, err := i.Issue(subject, data)
			return tok, err
		},
		verify: func(tok string) (user, error) {
			s, err := v.Verify(tok)
			if err != nil {
				return user{}, err
			}
			return s.Data(), nil
		},
	}
}

// denylist is the same one for all rows, so that there is little for the garbage
// collector to look through.
var denylist = sync.OnceValue(func() *revocation.Memory { return newDenylist(marks) })

// newDenylist returns a list with n sessions taken back.
func newDenylist(n int) *revocation.Memory {
	list := &revocation.Memory{Max: n + 1000}
	for i := range n {
		check(list.Revoke(context.Background(), revocation.Session(token.Claims{
			SessionID: fmt.Sprintf("session-%014d", i), EndsAt: time.Now().Add(lifetime)})))
	}
	return list
}

// Rows of carnet that no peer has.
const (
	hotGroup = "hot"
	marks    = 10_000 // in the denylist that is asked
)

// carnetRows are the verifications without the data, and those of a token that
// was seen a moment ago.
func carnetRows(w work, add func(group, name string, op func())) {
	for _, f := range []keys.Format{keys.JWT, keys.PASETO} {
		ring := newRing(f)
		ring.SetCache(0)
		tok := issueWith(ring)(w.data)
		nobody := token.NewVerifier[struct{}](ring, config)
		add(verifyGroup, carnetNames[f]+noData, func() { must(nobody.Verify(tok)) })
	}
	list := denylist()
	local := localAlone(w)
	add(verifyGroup, localLayer, local)
	ctx := context.Background()
	hot := func(name string, digest bool) {
		ring := newRing(keys.JWT)
		if digest {
			ring.CacheDigests()
		}
		tok := issueWith(ring)(w.data)
		whole, plain := token.NewVerifier[user](ring, config), token.NewVerifier[flat](ring, config)
		// The closures are no generic function: Verify is not inlined in one.
		add(hotGroup, hotWhole+name, func() {
			s, err := whole.Verify(tok)
			check(err)
			check(list.Check(ctx, s.Claims))
		})
		add(hotGroup, hotPlain+name, func() {
			s, err := plain.Verify(tok)
			check(err)
			check(list.Check(ctx, s.Claims))
			named(s.Data().Name)
		})
		add(hotGroup, hotCopy+name, func() {
			s, err := whole.Verify(tok)
			check(err)
			check(list.Check(ctx, s.Claims))
			named(s.Data().Name)
		})
	}
	hot("", false)
	hot(byDigest, true)
}

func named(name string) {
	if name == "" {
		panic("no data")
	}
}

// localAlone opens the outer layer of a PASETO: the payload is that of a go-paseto
// token, so that Open stops after it has decrypted and authenticated it.
func localAlone(w work) func() {
	k := newKey()
	o := must(paseto.NewOpener(k.secret, k.pub))
	t := pasetoToken(w.data)
	t.SetFooter([]byte(`{"kid":"` + o.ID() + `"}`))
	tok := t.V4Encrypt(must(gopaseto.V4SymmetricKeyFromBytes(k.secret)), implicitOf())
	b := token.Binding{Purpose: token.PurposeSession, Issuer: issuer, Audience: audience}
	return func() {
		if _, err := o.Open(tok, b); err != token.ErrMalformed {
			panic(fmt.Sprint("the outer layer did not open: ", err))
		}
	}
}

var carnetNames = map[keys.Format]string{keys.JWT: ours, keys.PASETO: oursPASETO}

// Names of rows that the report asks for.
const (
	hotWhole = ours + noData
	hotPlain = ours + plainData
	hotCopy  = ours
	byDigest = ", cache by digest"

	localLayer = "carnet, v4.local layer alone"
)
