package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// A policy is the token.Config of a service, as a person repeats it, and the
// ring that goes with it.
type policy struct {
	ring     string
	issuer   string
	audience string
	lifetime time.Duration
	maxAge   time.Duration
	leeway   time.Duration
}

// addFlags adds what every verb about tokens takes.
func (p *policy) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.ring, "ring", "env:"+ringVariable, "name of the ring")
	f.StringVar(&p.issuer, "issuer", "", "who mints the tokens")
	f.StringVar(&p.audience, "audience", "", "who is to accept them")
	f.DurationVar(&p.maxAge, "max-age", 12*time.Hour, "how long renewal can keep a session alive, as the service has it")
	p.lifetime, p.leeway = time.Minute, time.Minute // for the verbs without a flag for them
}

func (p *policy) addLeeway(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&p.leeway, "leeway", time.Minute, "how far two clocks may disagree")
}

func require(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a verb that requires a flag it lacks
		}
	}
}

// config returns the policy for token, or a usage error.
func (p *policy) config() (c token.Config, err error) {
	c = token.Config{Issuer: p.issuer, Audience: p.audience, Lifetime: p.lifetime, MaxAge: p.maxAge, Leeway: p.leeway}
	if c.Lifetime == 0 || c.MaxAge == 0 {
		return c, usageError("--lifetime and --max-age must be at least 1s")
	}
	if c.Leeway == 0 {
		c.Leeway = -1 // to token, zero is the default
	}
	return c, usable(c)
}

// usable turns the panic of a constructor into an error: here a person made the
// mistake, not the program.
func usable(c token.Config) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = usageError("%s", strings.TrimPrefix(fmt.Sprint(p), "token: "))
		}
	}()
	token.NewVerifier[struct{}]((*keys.VerifyRing)(nil), c)
	return nil
}

// openAny opens a ring of either kind. The set is nil for a verify-only ring.
func openAny(ctx context.Context, name string) (token.Opener, *keys.Set, error) {
	p, err := placeOf([]string{name})
	if err != nil {
		return nil, nil, err
	}
	set, err := p.Load(ctx)
	if err == nil {
		ring, err := set.Ring()
		return ring, set, err
	}
	verifyRing, err2 := p.OpenVerifyOnly(ctx)
	if err2 == nil {
		return verifyRing, nil, nil
	}
	if strings.Contains(err.Error(), "this is a verify-only ring") {
		err = err2 // what is wrong with it as such
	}
	return nil, nil, p.adviseReader(err)
}
