package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystore"
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

// placeOf finds the place that args begin with, or that the environment names.
func placeOf(args []string) (place, error) {
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
	if name == "" {
		return place{}, usageError("the name of the ring is empty")
	}
	if isToken(name) {
		return place{}, usageError("that is a token, not a ring")
	}
	return place{Source: keys.Source{Path: name}, name: name}, nil
}

// load returns the ring in a place as it is now.
func (p place) load(ctx context.Context) (*keys.Set, error) {
	set, err := p.Load(ctx)
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
