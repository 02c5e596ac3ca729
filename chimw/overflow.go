package chimw

import (
	"context"
	"time"

	"github.com/carnet-go/carnet/chimw/overflow"
	"github.com/carnet-go/carnet/token"
)

// verify is the Verifier's, for sessions whose data may be in the overflow store. It
// asks what was taken back first, so that a token that was costs the store nothing.
func (g *Guard[T]) verify(ctx context.Context, tok string) (*token.Session[T], error) {
	return g.verifier.VerifyWith(tok, func(c token.Claims) (string, error) {
		if err := g.checker.Check(ctx, c); err != nil {
			return "", err
		}
		return overflow.Load(ctx, g.overflow, c.SessionID, c.Overflow)
	})
}

// minting returns the issuer for a request: data that does not fit goes to the overflow
// store, if there is one.
func (s *Sessions[T]) minting(ctx context.Context) *token.Issuer[T] {
	if s.overflow == nil {
		return s.issuer
	}
	return s.issuer.Spilling(func(c token.Claims) (string, error) {
		if n := len(c.Raw); n > overflow.MaxSize {
			return "", &token.SizeError{Data: n, Room: overflow.MaxSize}
		}
		return overflow.Save(ctx, s.overflow, c.SessionID, c.Raw, c.EndsAt.Add(forgetAfter))
	})
}

// forgetAfter is how long after its end a session may still be believed.
const forgetAfter = 5 * time.Minute
