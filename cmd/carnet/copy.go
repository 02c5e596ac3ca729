package main

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
)

type copyVerb struct {
	edit
	sealing
	fromPlain bool
}

func newCopyCmd() *cobra.Command {
	v := &copyVerb{edit: edit{copies: true}}
	cmd := &cobra.Command{
		Use:   "copy RING TO",
		Short: "Move a ring to another store",
		Long: `Copy a ring to another place, for example from a file into Redis, where there must
be none yet. It is the same ring at the same generation: nodes can be restarted
with the new place one after the other, and no session ends.

The copy is sealed as init would seal it. Once a ring is in two places, change it
in the new one only: running nodes refuse a ring that was changed in both.`,
		Example: "  carnet copy ring.json 'redis://localhost:6379/0?prefix=web' --key-file key",
		Args:    fromAndTo,
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd, args[0], args[1]) },
	}
	v.sealing.addFlags(cmd)
	cmd.Flags().BoolVar(&v.fromPlain, "from-insecure-plain", false, "the ring is in the clear, though there is a key")
	v.edit.addFlags(cmd)
	return cmd
}

func fromAndTo(_ *cobra.Command, args []string) error {
	switch {
	case len(args) < 2:
		return usageError("which ring, and where to? Name both")
	case len(args) > 2:
		return usageError("%d arguments are too many", len(args))
	}
	return nil
}

func (v *copyVerb) run(cmd *cobra.Command, from, to string) error {
	source, err := placeOf([]string{from})
	if err != nil {
		return err
	}
	target, err := locate(to)
	if err != nil {
		return err
	}
	source.Plain = v.fromPlain
	set, err := source.load(cmd.Context())
	if err != nil {
		return err
	}
	if err := v.create(cmd, target, set, &v.sealing); errors.Is(err, fs.ErrExist) {
		return advise(err, "choose another place; or, if that is an old copy that no node follows any more, remove it first: %s", remove(target))
	} else if err != nil {
		return err
	}
	if !v.dryRun {
		v.tell(cmd)
	}
	if err := v.print(cmd.OutOrStdout(), target, nil, set); err != nil {
		return err
	}
	if v.dryRun {
		v.announce(cmd, target, set)
		return nil
	}
	v.advise(cmd, source, target)
	return nil
}

// advise says what makes a move of a copy.
func (v *copyVerb) advise(cmd *cobra.Command, source, target place) {
	next(cmd, "from now on change the ring only there: nodes take no ring that was changed in both places")
	next(cmd, "restart each node with %s, one after the other", target.shell())
	next(cmd, "do not rotate it twice before that is done: a node that is left would refuse new tokens")
	next(cmd, "once no node follows %s, remove it: whoever can read it has the keys: %s", source, remove(source))
}

// remove is the command that does it.
func remove(p place) string {
	if p.prefix == "" {
		return "rm " + shell(p.Path) + " " + shell(p.Path+".lock")
	}
	return p.redisDel("ring", "nodes", "sealed")
}

// redisDel is the command that deletes parts of a ring in Redis, on the server that
// has it: a bare redis-cli talks to the one of this machine.
func (p place) redisDel(parts ...string) string {
	server := "-u " + p.shell()
	switch {
	case p.options.Has("master_name"):
		server = "-h MASTER"
	case p.from != "":
		server = `-u "$` + p.from + `"`
	}
	if p.options.Has("addr") && !p.options.Has("master_name") {
		server += " -c"
	}
	words := []string{"redis-cli", server, "DEL"}
	for _, part := range parts {
		words = append(words, shell("{"+p.prefix+"}:"+part))
	}
	return strings.Join(words, " ")
}
