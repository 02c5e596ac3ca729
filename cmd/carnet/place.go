package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/keys/keystore"
	"github.com/carnet-go/carnet/keys/redisring"
)

// ringVariable names the ring if the command line does not.
const ringVariable = "CARNET_RING"

// A place is a ring as a person names it.
type place struct {
	keys.Source
	name string // without secrets
	from string // the variable that names it, if one does

	prefix  string // of a ring in Redis
	options url.Values
}

func (p place) String() string { return p.name }

// shell is the name for a command line to be pasted.
func (p place) shell() string { return shell(p.name) }

// placeOf finds the place of a ring that is there: the one that args begin with,
// or that the environment names.
func placeOf(args []string) (place, error) {
	p, err := newPlaceOf(args)
	if err == nil {
		err = p.isThere()
	}
	if err == nil {
		err = p.unlock()
	}
	return p, err
}

// isThere refuses a variable that names no file, without repeating what it has: that
// may be a secret, unless the variable is the one for rings.
func (p place) isThere() error {
	if p.from == "" || p.from == ringVariable || p.Store != nil {
		return nil
	}
	if _, err := os.Lstat(p.Path); err != nil {
		cause := new(fs.PathError)
		errors.As(err, &cause)
		return advise(fmt.Errorf("open key ring: the environment variable %s names no file that can be opened: %w", p.from, cause.Err),
			"see what the variable has: the path of a ring, or redis://HOST:PORT/DB?prefix=NAME")
	}
	return nil
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
		switch {
		case variable == "":
			return place{}, usageError("env: names no variable: write env:NAME")
		case value == "":
			return place{}, usageError("the environment variable %s, which is to name the ring, is empty", variable)
		case variable == "CARNET_RING_KEY" || variable == "CARNET_RING_PASSPHRASE":
			return place{}, usageError("%s has what a ring is sealed under, not the name of a ring", variable)
		}
		p, err := locateHere(value)
		if p.from = variable; p.Store != nil {
			p.name = name // pasted, it leads to the same place
		}
		return p, err
	}
	return locateHere(name)
}

func locateHere(name string) (place, error) {
	if err := checkName("ring", name, ringSchemes...); err != nil {
		return place{}, err
	}
	if !hasScheme(name, ringSchemes...) {
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
	return place{Source: keys.Source{Store: store}, name: shown(u), prefix: u.Query().Get("prefix"), options: u.Query()}, nil
}

var ringSchemes = []string{"redis://", "rediss://"}

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
	if err != nil && damage.MatchString(err.Error()) {
		return nil, advise(err, "see whether the name is right. If it is, the ring was damaged: nodes go on with the keys they have; restore the newest backup before one restarts, then revoke what was revoked since")
	}
	return set, p.advise(err)
}

// damage is what a ring says that was cut off or altered by accident.
var damage = regexp.MustCompile(`: (not a carnet ring|it is empty$|the checksum does not match)`)

// refused tells a server that refuses from one that is away.
func refused(err error) bool {
	var e redis.Error
	return errors.As(err, &e) && refusal.MatchString(e.Error())
}

var refusal = regexp.MustCompile(`^(WRONGPASS|NOAUTH|NOPERM|ERR (DB index|invalid DB index|AUTH|invalid password))`)

// advise says what to do about a ring that is not there, or a store that is silent.
func (p place) advise(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded) && p.prefix != "":
		return advise(err, "see whether Redis answers there: %s", p)
	case errors.Is(err, kek.ErrWrongKey):
		return advise(err, "find what it was sealed with last; during a rewrap give both: CARNET_RING_KEY=\"NEW OLD\"")
	case refused(err):
		return advise(err, "Redis answers and refuses: see to the user, the password and the number of the database in %s", p)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case p.lacksKey(err):
		return advise(err, "it has the key that the ring is sealed under, and without it nobody opens the ring: see where the file is, and set CARNET_RING_KEY_FILE to that")
	case p.prefix != "":
		return advise(err, "see whether the name is right. If Redis lost the ring, a node puts it back within seconds; if none runs: carnet copy BACKUP %s. Only for a first ring: carnet init %s", p.shell(), p.shell())
	}
	return advise(err, "see whether the name is right. A ring that was lost comes back from its backup. For a first ring: carnet init %s", p.shell())
}

// adviseReader is advise for who only reads tokens.
func (p place) adviseReader(err error) error {
	if !errors.Is(err, fs.ErrNotExist) || p.lacksKey(err) {
		return p.advise(err)
	}
	return advise(err, "name the ring, or the verify-only file that was made from it with: carnet export RING --out FILE")
}

// lacksKey tells a key file that is not there from a ring that is not.
func (p place) lacksKey(err error) bool {
	cause := new(fs.PathError)
	return errors.As(err, &cause) && cause.Path != p.Path
}

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
