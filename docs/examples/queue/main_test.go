package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

func Example() {
	main()
	// Output:
	// alice: print the report
	// job refused: invalid token: revoked (subject)
}

var errAway = errors.New("the list is away")

type away struct{}

func (away) Check(context.Context, token.Claims) error { return errAway }

func TestWorker(t *testing.T) {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	website := config
	website.Audience = "web"
	for name, tt := range map[string]struct {
		config  token.Config // of who ordered
		denied  revocation.Checker
		waits   time.Duration
		refused bool
		want    error
	}{
		"a good job":                 {config, new(revocation.Memory), time.Hour, false, nil},
		"one that waited too long":   {config, new(revocation.Memory), 3 * time.Hour, true, token.ErrExpired},
		"a session of the website":   {website, new(revocation.Memory), 0, true, token.ErrInvalid},
		"the list can't be asked":    {config, away{}, 0, false, errAway},
		"expired, and it can't tell": {config, away{}, 3 * time.Hour, true, token.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				desk := &Desk{token.NewIssuer[Rights](ring, tt.config)}
				job, err := desk.Order("alice", "print", Rights{MayDelete: true})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(tt.waits)
				var done bool
				worker := &Worker{token.NewVerifier[Rights](ring, config), tt.denied, func(subject, text string, r Rights) error {
					done = subject == "alice" && text == "print" && r.MayDelete
					return nil
				}}
				err = worker.Handle(t.Context(), job)
				if !errors.Is(err, tt.want) || errors.Is(err, ErrRefused) != tt.refused || done != (tt.want == nil) {
					t.Errorf("%v, done %v", err, done)
				}
			})
		})
	}
}
