package main

import (
	"context"
	"fmt"
	"time"

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
		carnetPeer("carnet JWT", newRing(keys.JWT)),
		carnetPeer("carnet PASETO", newRing(keys.PASETO)),
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
			return s.Data, nil
		},
	}
}

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
	marks    = 100_000 // in the denylist that is asked
)

// carnetRows are the verifications without the data, and those of a token that
// was seen a moment ago.
func carnetRows(w work, add func(group, name string, op func())) {
	for _, f := range []keys.Format{keys.JWT, keys.PASETO} {
		ring := newRing(f)
		ring.SetCache(0)
		tok := issueWith(ring)(w.data)
		nobody := token.NewVerifier[struct{}](ring, config)
		add(verifyGroup, "carnet "+string(f)+", data not asked for", func() { must(nobody.Verify(tok)) })
	}
	list := newDenylist(marks)
	hot := func(name string, digest bool) {
		ring := newRing(keys.JWT)
		if digest {
			ring.CacheDigests()
		}
		tok := issueWith(ring)(w.data)
		add(hotGroup, "carnet hot, whole session"+name, asked(token.NewVerifier[user](ring, config), list, tok))
		add(hotGroup, "carnet hot, plain struct"+name, asked(token.NewVerifier[flat](ring, config), list, tok))
		add(hotGroup, "carnet hot, data not asked for"+name, asked(token.NewVerifier[struct{}](ring, config), list, tok))
	}
	hot("", false)
	hot(", by digest", true)
}

// asked verifies a token and asks the list.
func asked[T any](v *token.Verifier[T], list revocation.Checker, tok string) func() {
	ctx := context.Background()
	return func() {
		s, err := v.Verify(tok)
		check(err)
		check(list.Check(ctx, s.Claims))
	}
}
