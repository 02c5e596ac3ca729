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
