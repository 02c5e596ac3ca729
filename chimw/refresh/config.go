package refresh

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// Config says how tokens are refreshed. Revocation is required.
type Config struct {
	// Store remembers the generation of each session. Nil means the memory of this
	// process: after a restart everybody whose access token has expired for longer
	// than Grace has to log in again.
	Store Store

	// Revocation is asked at each refresh, and told of each theft. It must be the
	// list that the nodes ask which take the access tokens. Required.
	Revocation revocation.List

	// Access is how long an access token lives, in whole seconds. Zero means five
	// minutes. It must be shorter than [token.Config].Lifetime, which is how long a
	// refresh token lives, and so how long a session may idle.
	Access time.Duration

	// Grace is how long a refresh token that was replaced gets its successor again.
	// It is longer than a client takes to try again. Zero means one minute, the
	// maximum is an hour; negative means none: then of two requests at a time one
	// is taken for theft.
	Grace time.Duration

	// Theft is called after a session was ended because an old refresh token came
	// again, with what that one says. It is called on the request's goroutine, once,
	// or a few times if the old token comes several times at once. Nil means that
	// nobody is called; Report is told all the same.
	Theft func(ctx context.Context, c token.Claims)

	// Report gets the reason of each request that [Tokens.ServeHTTP] refuses, as
	// with chimw.Config.
	Report func(r *http.Request, err error)
}

const (
	defaultAccess = 5 * time.Minute
	defaultGrace  = time.Minute
	maxGrace      = time.Hour
)

func (c Config) withDefaults() Config {
	if c.Store == nil {
		c.Store = new(Memory)
	}
	if c.Access == 0 {
		c.Access = defaultAccess
	}
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	c.Grace = max(c.Grace, 0)
	if c.Theft == nil {
		c.Theft = func(context.Context, token.Claims) {}
	}
	if c.Report == nil {
		c.Report = func(*http.Request, error) {}
	}
	return c
}

func (c *Config) check(policy token.Config) error {
	switch {
	case c.Revocation == nil:
		return errors.New("refresh: Config needs a Revocation list: without it no theft ends a session")
	case c.Access < time.Second || c.Access%time.Second != 0:
		return fmt.Errorf("refresh: Access %v is not a positive number of seconds", c.Access)
	case c.Access >= policy.Lifetime:
		return fmt.Errorf("refresh: Access %v must be shorter than the Lifetime of a refresh token, %v", c.Access, policy.Lifetime)
	case c.Grace > maxGrace:
		return fmt.Errorf("refresh: Grace %v is more than %v", c.Grace, maxGrace)
	}
	return nil
}
