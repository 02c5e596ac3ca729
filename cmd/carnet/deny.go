package main

import (
	"cmp"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// A denial is what deny is asked to do.
type denial struct {
	listPlace
	axis   revocation.Axis
	maxAge time.Duration
	ahead  time.Duration
	except string
	reason string
	by     string
	from   string
	create bool
	dryRun bool
	json   bool
}

func newDenyCmd() *cobra.Command {
	d := &denyToken{denial: denial{axis: "session"}}
	cmd := &cobra.Command{
		Use:   "deny --token --ring RING --list LIST [TOKEN]",
		Short: "Take sessions back: one, a subject's, a tenant's or everybody's",
		Long: `Take sessions back on every node that shares the denylist, within milliseconds.

A session that is denied stays so until it would have ended by itself, and a key until
its last token is dead. Subjects, tenants and everyone are taken back as of now: who
logs in again is let in. A key that still mints is to be revoked in its ring first, with
carnet revoke: until then nobody can log in.

With --token the session of a leaked token is denied, whether the token is good,
expired or about to be renewed, and the one that an elevation would make of it.
Give it on standard input: as an argument it ends up in the history of the shell.`,
		Example: `  carnet deny subject alice --list redis://localhost:6379/0 --reason 'laptop stolen'
  carnet deny --token --ring verify.json --list denied.log < token`,
		Args: func(_ *cobra.Command, args []string) error {
			if !d.given {
				return usageError("deny what? A session, a subject, a tenant, a key, everyone, or the session of a --token")
			}
			return cobra.MaximumNArgs(1)(nil, args)
		},
		RunE: d.run,
	}
	d.addFlags(cmd)
	for _, v := range []struct {
		axis                  revocation.Axis
		name, arg, short, age string
	}{
		{"session", "session", "ID...", "one session, whatever tokens it was renewed to", "how long renewal can keep a session alive, as the service has it"},
		{"subject", "subject", "NAME...", "every session that a subject has begun until now", "how long renewal can keep a session alive, as the service has it"},
		{"audience", "tenant", "NAME...", "every session with an audience that began until now", "how long renewal can keep a session alive, as the service has it"},
		{"key", "key", "KID...", "every token that a key sealed, whatever it says", "how long the key's tokens can live"},
		{"everyone", "everyone", "", "every session that began until now", "how long renewal can keep a session alive, as the service has it"},
	} {
		cmd.AddCommand(newDenyAxisCmd(v.axis, v.name, v.arg, v.short, v.age))
	}
	return cmd
}

// longest is how long a ring mints tokens for unless it was told otherwise. A mark that
// ends too late takes some memory; one that ends too early lets a session back in.
const longest = 31 * 24 * time.Hour

func newDenyAxisCmd(axis revocation.Axis, name, arg, short, age string) *cobra.Command {
	d := &denial{axis: axis}
	cmd := &cobra.Command{
		Use:     spaced(name, arg) + " --list LIST",
		Short:   "Take back " + short,
		Example: "  " + spaced("carnet deny", name, cmp.Or(map[string]string{"ID...": "a4Jq0", "NAME...": "alice", "KID...": "Xq3r"}[arg])) + " --list redis://localhost:6379/0",
		Args:    d.args,
	}
	cmd.RunE = failing(d.run)
	d.addCommonFlags(cmd)
	f := cmd.Flags()
	f.DurationVar(&d.maxAge, "max-age", longest, age)
	if axis != "everyone" {
		f.StringVar(&d.from, "from", "", "read what to deny from a `FILE`, one a line; - is standard input")
	}
	if axis != "session" && axis != "key" {
		f.DurationVar(&d.ahead, "ahead", 0, "deny logins of so long from now too: as far as the nodes' clocks may be apart, where no list on Redis tells")
		f.StringVar(&d.except, "except", "", "the id of a `SESSION` to spare")
	}
	return cmd
}

func (d *denial) addCommonFlags(cmd *cobra.Command) {
	d.listPlace.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&d.reason, "reason", "", "why; it reaches logs, so keep names out of it")
	f.StringVar(&d.by, "by", "", "who does it (default the user of this machine)")
	f.BoolVar(&d.create, "create", false, "begin the denylist if there is none")
	f.BoolVar(&d.dryRun, "dry-run", false, "say what would happen and change nothing")
	f.BoolVar(&d.json, "json", false, "print the result as JSON")
}

func (d *denial) args(_ *cobra.Command, args []string) error {
	switch {
	case d.axis == "everyone" && len(args) > 0:
		return usageError("everyone takes no name")
	case d.axis != "everyone" && (len(args) > 0) == (d.from != ""):
		return usageError("deny which? Name them, or a file of them with --from")
	}
	return nil
}

func (d *denial) run(cmd *cobra.Command, args []string) error {
	values := args
	if d.axis == "everyone" {
		values = []string{""}
	}
	if d.from != "" {
		var err error
		if values, err = readValues(cmd, d.from); err != nil {
			return err
		}
	}
	marks, err := d.marks(values)
	if err != nil {
		return err
	}
	return d.deny(cmd, marks)
}

// marks makes a mark of each value, or none if one of them makes no sense.
func (d *denial) marks(values []string) ([]revocation.Mark, error) {
	if d.maxAge <= 0 || d.ahead < 0 {
		return nil, usageError("--max-age must be longer than nothing, and --ahead not negative")
	}
	marks, now := make([]revocation.Mark, len(values)), time.Now()
	for i, value := range values {
		m, err := d.mark(value, now).Normalize()
		switch {
		case err != nil && d.from != "":
			return nil, fmt.Errorf("line %d of %s: %w", i+1, d.from, err)
		case err != nil:
			return nil, usageError("%v", err)
		}
		marks[i] = m
	}
	return marks, nil
}

func (d *denial) mark(value string, now time.Time) (m revocation.Mark) {
	switch d.axis {
	case "session":
		m = revocation.Session(token.Claims{SessionID: value, EndsAt: now.Add(d.maxAge)})
	case "key":
		m = revocation.Key(value, now.Add(d.maxAge))
	default:
		m = revocation.Everyone(d.maxAge)
		m.Axis, m.Value, m.Except, m.At = d.axis, value, d.except, m.At.Add(d.ahead)
	}
	return d.signed(m)
}

// signed notes who and why.
func (d *denial) signed(m revocation.Mark) revocation.Mark {
	m.Reason, m.By = d.reason, cmp.Or(d.by, os.Getenv("SUDO_USER"), userName())
	return m
}

func userName() string {
	u, err := user.Current()
	if err != nil {
		return "uid " + strconv.Itoa(os.Getuid())
	}
	return u.Username
}
