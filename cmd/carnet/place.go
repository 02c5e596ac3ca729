package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystore"
	"github.com/carnet-go/carnet/keys/redisring"
)

// ringVariable names the ring if the command line does not.
const ringVariable = "CARNET_RING"

// A place is a ring as a person names it.
type place struct {
	keys.Source
	name string // without secrets
}

func (p place) String() string { return p.name }

// shell is the name for a command line to be pasted.
func (p place) shell() string { return shell(p.name) }

// placeOf finds the place of a ring that is there: the one that args begin with,
// or that the environment names.
func placeOf(args []string) (place, error) {
	p, err := newPlaceOf(args)
	if err == nil {
		err = p.unlock()
	}
	return p, err
}

// newPlaceOf is placeOf for a ring that need not be there.
func newPlaceOf(args []string) (place, error) {
	if len(args) == 0 {
		return locate("env:" + ringVariable)
	}
	return locate(args[0])
}

// locate finds out what a name means.
func locate(name string) (place, error) {
	if variable, ok := strings.CutPrefix(name, "env:"); ok {
		value := os.Getenv(variable)
		if value == "" {
			return place{}, usageError("the environment variable %s, which is to name the ring, is empty", variable)
		}
		p, err := locateHere(value)
		if p.Store != nil {
			p.name = name // pasted, it leads to the same place
		}
		return p, err
	}
	return locateHere(name)
}

func locateHere(name string) (place, error) {
	switch {
	case name == "":
		return place{}, usageError("the name of the ring is empty")
	case isToken(name):
		return place{}, usageError("that is a token, not a ring")
	case !isRedis(name):
		return place{Source: keys.Source{Path: name}, name: name}, nil
	}
	store, _, err := redisring.Open(name) // the client is closed by the end of the process
	if err != nil {
		return place{}, usageError("%w", err)
	}
	u, err := url.Parse(name)
	if err != nil {
		return place{}, usageError("the address of the ring is no URL")
	}
	return place{Source: keys.Source{Store: store}, name: u.Redacted()}, nil
}

func isRedis(name string) bool {
	return strings.HasPrefix(name, "redis://") || strings.HasPrefix(name, "rediss://")
}

// shared is the store if all nodes talk to it, so that it knows them.
func (p place) shared() (keystore.Shared, bool) {
	s, ok := p.Store.(keystore.Shared)
	return s, ok
}

// load returns the ring in a place as it is now.
func (p place) load(ctx context.Context) (*keys.Set, error) {
	set, err := p.Load(ctx)
	if err != nil && strings.Contains(err.Error(), "in the clear, but there is a key") {
		return nil, advise(err, "carnet rewrap %s, or unset the key", p.shell())
	}
	return set, p.advise(err)
}

// advise says what to do about a ring that does not open.
func (p place) advise(err error) error { return adviseOpen(err, p.shell()) }

// interruptible ends with Ctrl-C, and tells a person whom an edit waits for.
func interruptible(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	return keystore.NoticeWait(ctx, func(what string) { note(cmd, "waiting for %s", what) }), stop
}

// adviseConflict says what to do if somebody else was faster.
func (p place) adviseConflict(err error) error {
	if errors.Is(err, keystore.ErrConflict) {
		return advise(err, "see what it is now, and whether the change is still right: carnet list %s", p.shell())
	}
	return err
}
