package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/filelist"
	"github.com/carnet-go/carnet/revocation/redislist"
)

// A listPlace is where a denylist is, as a person names it.
type listPlace struct {
	list   string
	name   string // of the variable that list is from, if it is
	prefix string
	wait   time.Duration
}

func (p *listPlace) addFlags(cmd *cobra.Command) {
	p.addOptionalFlags(cmd)
	require(cmd, "list")
}

// addOptionalFlags is for a verb that can do without a list.
func (p *listPlace) addOptionalFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.list, "list", "", "the denylist: redis://HOST:PORT/DB, the path of a file, or env:VARIABLE that has either")
	f.StringVar(&p.prefix, "prefix", "", "of the list's keys in Redis, as the service has it (default \"carnet:\")")
	f.DurationVar(&p.wait, "wait", 10*time.Second, "how long to wait for Redis")
}

func (p *listPlace) check() error {
	if name, ok := strings.CutPrefix(p.list, "env:"); ok {
		if p.list, p.name = os.Getenv(name), p.list; p.list == "" {
			return usageError("the environment variable %s, which is to name the denylist, is empty", name)
		}
	}
	if err := checkName("denylist", p.list, listSchemes...); err != nil {
		return err
	}
	switch {
	case p.prefix != "" && !p.redis():
		return usageError("--prefix is for lists on Redis")
	case strings.ContainsAny(p.prefix, "{}") || len(p.prefix) > 64:
		return usageError("a prefix has at most 64 bytes and no braces")
	}
	return p.checkWait()
}

func (p *listPlace) checkWait() error {
	if p.wait <= 0 {
		return usageError("--wait must be longer than nothing")
	}
	return nil
}

var listSchemes = []string{"redis://", "rediss://", "unix://"}

func (p *listPlace) redis() bool { return hasScheme(p.list, listSchemes...) }

// String is the name without a password.
func (p *listPlace) String() string {
	if p.name != "" {
		return p.name
	}
	if !p.redis() {
		return p.list
	}
	u, err := url.Parse(p.list)
	if err != nil {
		return "the denylist" // what is no URL may have a password anywhere
	}
	return shown(u)
}

// flags are the words of a command line that name the list again.
func (p *listPlace) flags() string {
	s := "--list " + shell(p.String())
	if p.prefix != "" {
		s += " --prefix " + shell(p.prefix)
	}
	return s
}

// A denylist is one that is open.
type denylist struct {
	revocation.List // nil if it is open to be read only
	allow           func(context.Context, ...revocation.Mark) error
	marks           func() iter.Seq[redislist.Entry]
	follow          func(context.Context, func(redislist.Entry))
	close           func() error
}

// Close closes the list, and its client.
func (l *denylist) Close() error { return l.close() }

// open opens the list to change it. It must be there, unless create is set: a slip of
// the hand would deny nothing to anybody.
func (p *listPlace) open(ctx context.Context, create bool) (*denylist, error) {
	if p.redis() {
		return p.openRedis(ctx, create)
	}
	if err := p.isThere(); err != nil && !(create && errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	l, err := filelist.Open(p.list, 0)
	if err != nil {
		return nil, adviseList(err)
	}
	return &denylist{l, l.Allow, withIDs(l.Marks()), nil, l.Close}, nil
}

// read opens the list to be read. A service may have the file open.
func (p *listPlace) read(ctx context.Context) (*denylist, error) {
	if p.redis() {
		return p.openRedis(ctx, false)
	}
	if err := p.isThere(); err != nil {
		return nil, err
	}
	m, err := filelist.Read(p.list)
	if err != nil {
		return nil, adviseList(err)
	}
	return &denylist{nil, nil, withIDs(m.Marks()), p.followFile, func() error { return nil }}, nil
}

// isThere does not repeat what a variable has: it may be a secret.
func (p *listPlace) isThere() error {
	_, err := os.Stat(p.list)
	if cause := new(fs.PathError); p.name != "" && errors.As(err, &cause) {
		err = fmt.Errorf("the environment variable %s names no file of a denylist that can be opened: %w", strings.TrimPrefix(p.name, "env:"), cause.Err)
	}
	return adviseList(err)
}

func adviseList(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return advise(err, "the service makes the file when it starts; to make it now use --create")
	case errors.Is(err, filelist.ErrInUse):
		return advise(err, "have that process revoke, or stop it for the moment")
	}
	return err
}

func withIDs(marks iter.Seq[revocation.Mark]) func() iter.Seq[redislist.Entry] {
	return func() iter.Seq[redislist.Entry] {
		return func(yield func(redislist.Entry) bool) {
			for m := range marks {
				if !yield(redislist.Entry{Mark: m, ID: redislist.ID(m.Axis, m.Value)}) {
					return
				}
			}
		}
	}
}

func (p *listPlace) openRedis(ctx context.Context, create bool) (*denylist, error) {
	client, err := p.client()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	found, err := redislist.Exists(ctx, client, p.prefix)
	if err != nil {
		err = p.noAnswer(errors.Unwrap(err))
	} else if !found && !create {
		err = p.noList()
	}
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	l := redislist.Config{Timeout: p.wait, Log: slog.New(slog.DiscardHandler)}.New(client, p.prefix)
	if err := l.Ready(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("read the denylist on %s: %w", p, err), client.Close(), l.Close())
	}
	// The client first: otherwise the list waits for a read that waits for news.
	return &denylist{l, l.Allow, l.Marks, l.Follow, func() error { return errors.Join(client.Close(), l.Close()) }}, nil
}

// noAnswer tells a user who may not from a server that is not there.
func (p *listPlace) noAnswer(err error) error {
	if redis.IsPermissionError(err) {
		return advise(fmt.Errorf("%s refuses this user: %w", p, err),
			"let it at the keys {%s}revoked:*; docs/revocation.md has the ACL", cmp.Or(p.prefix, "carnet:"))
	}
	return advise(fmt.Errorf("connect to %s: %w", p, err), "see that Redis runs there; --list takes user and password as redis://USER:PASSWORD@HOST")
}

func (p *listPlace) noList() error {
	return advise(fmt.Errorf("there is no denylist with the prefix %q on %s", cmp.Or(p.prefix, "carnet:"), p),
		"name the prefix of the service with --prefix. A list that Redis lost is back as soon as a node of the service runs; to begin one now: carnet deny ... --create")
}

// client makes a client of the kind that the address asks for: with master_name
// one that asks Sentinels, with addr one of a cluster.
func (p *listPlace) client() (redis.UniversalClient, error) {
	u, err := url.Parse(p.list)
	if err != nil {
		return nil, usageError("--list is not an address of Redis") // the error would show a password
	}
	switch query := u.Query(); {
	case query.Has("prefix"):
		return nil, usageError("the address of a denylist takes no prefix=: name it with --prefix, or leave it away if the service does")
	case query.Has("master_name"):
		o, err := redis.ParseFailoverURL(p.list)
		if err != nil {
			return nil, p.badAddress(err)
		}
		o.ContextTimeoutEnabled, o.MaxRetries = true, 1
		return redis.NewFailoverClient(o), nil
	case query.Has("addr"):
		o, err := redis.ParseClusterURL(p.list)
		if err != nil {
			return nil, p.badAddress(err)
		}
		o.ContextTimeoutEnabled, o.MaxRetries = true, 1
		return redis.NewClusterClient(o), nil
	}
	o, err := redis.ParseURL(p.list)
	if err != nil {
		return nil, p.badAddress(err)
	}
	o.ContextTimeoutEnabled, o.MaxRetries = true, 1
	return redis.NewClient(o), nil
}

// badAddress keeps a password out of the error.
func (p *listPlace) badAddress(err error) error {
	if u, perr := url.Parse(p.list); perr == nil && (u.User != nil || u.RawQuery != "") {
		return usageError("--list is not an address of Redis: %s", p)
	}
	return usageError("--list is not an address of Redis: %v", err)
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// followFile looks at the file now and then.
func (p *listPlace) followFile(ctx context.Context, f func(redislist.Entry)) {
	seen := map[revocation.Mark]bool{}
	var size int64
	var changed time.Time
	for tick := time.NewTicker(300 * time.Millisecond); ; {
		if info, err := os.Stat(p.list); err == nil && (info.Size() != size || !info.ModTime().Equal(changed)) {
			size, changed = info.Size(), info.ModTime()
			if m, err := filelist.Read(p.list); err == nil {
				for e := range withIDs(m.Marks())() {
					if !seen[e.Mark] {
						seen[e.Mark] = true
						f(e)
					}
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
