package freshness_test

import (
	"context"
	"fmt"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/token"
)

// Ten seconds into an outage one route still serves, and one does not.
func ExampleNewChecker() {
	denied := outage{time.Now().Add(-10 * time.Second), new(revocation.Memory)}
	careful := freshness.NewChecker(denied, freshness.Closed(5*time.Second))
	others := freshness.NewChecker(denied, freshness.Closed(0))

	c := session("session-1", time.Hour)
	fmt.Println(careful.Check(context.Background(), c) == nil)
	fmt.Println(others.Check(context.Background(), c) == nil)
	// Output:
	// false
	// true
}

// A policy is a function: a support desk is served whatever happens, and nobody
// else is.
func ExamplePolicy() {
	var policy freshness.Policy = func(c token.Claims, age time.Duration) error {
		if age <= 5*time.Second || c.Subject == "support" {
			return nil
		}
		return &freshness.StaleError{Age: age, Bound: 5 * time.Second}
	}
	fmt.Println(policy(token.Claims{Subject: "support"}, time.Hour))
	fmt.Println(policy(token.Claims{Subject: "alice"}, time.Hour))
	// Output:
	// <nil>
	// revocation: the copy of the denylist is 1h0m0s old, and the route allows 5s
}
