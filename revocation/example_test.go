package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// twoSessions returns the claims of two tokens as a Verifier gives them.
func twoSessions() (laptop, phone token.Claims) {
	start := time.Now().Add(-time.Hour)
	return login("laptop's session id", "alice", start), login("phone's session id", "alice", start)
}

func ExampleMemory() {
	ctx, list := context.Background(), new(revocation.Memory)
	laptop, phone := twoSessions()

	if err := list.Revoke(ctx, revocation.Session(laptop)); err != nil {
		fmt.Println("not logged out, try again:", err)
	}
	fmt.Println("laptop:", list.Check(ctx, laptop))
	fmt.Println("phone:", list.Check(ctx, phone))
	// Output:
	// laptop: invalid token: revoked (session)
	// phone: <nil>
}

// Log out everywhere. A new login works at once.
func ExampleSubject() {
	ctx, list := context.Background(), new(revocation.Memory)
	laptop, _ := twoSessions()

	mark := revocation.Subject("alice", 12*time.Hour)
	mark.Reason, mark.By = "password changed", "alice"
	if err := list.Revoke(ctx, mark); err != nil {
		fmt.Println("not logged out, try again:", err)
	}
	fmt.Println("laptop:", list.Check(ctx, laptop))
	fmt.Println("next login:", list.Check(ctx, login("a new session id", "alice", time.Now())))
	// Output:
	// laptop: invalid token: revoked (subject): password changed
	// next login: <nil>
}

// Log out all other devices.
func ExampleSubject_allButThisOne() {
	ctx, list := context.Background(), new(revocation.Memory)
	laptop, phone := twoSessions()

	mark := revocation.Subject("alice", 12*time.Hour)
	mark.Except = laptop.SessionID
	if err := list.Revoke(ctx, mark); err != nil {
		fmt.Println("not logged out, try again:", err)
	}
	fmt.Println("laptop:", list.Check(ctx, laptop))
	fmt.Println("phone:", list.Check(ctx, phone))
	// Output:
	// laptop: <nil>
	// phone: invalid token: revoked (subject)
}

// The log gets the reason; the client gets one answer for all.
func ExampleRevokedError() {
	ctx, list := context.Background(), new(revocation.Memory)
	laptop, _ := twoSessions()

	mark := revocation.Everyone(12 * time.Hour)
	mark.Reason, mark.By = "database leaked", "carol"
	if err := list.Revoke(ctx, mark); err != nil {
		fmt.Println("nobody was logged out, try again:", err)
	}
	err := list.Check(ctx, laptop)
	if revoked, ok := errors.AsType[*revocation.RevokedError](err); ok {
		fmt.Println("log:", revoked, "by", revoked.Mark.By)
	}
	if errors.Is(err, token.ErrInvalid) {
		fmt.Println("client: 401")
	}
	// Output:
	// log: invalid token: revoked (everyone): database leaked by carol
	// client: 401
}
