package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

type initVerb struct {
	edit
	plain     bool
	format    formatFlag
	spread    time.Duration
	tokenLife time.Duration
}

func newInitCmd() *cobra.Command {
	v := &initVerb{format: formatFlag(keys.JWT)}
	cmd := &cobra.Command{
		Use:   "init RING",
		Short: "Make a ring",
		Long: `Make a ring with one key that mints and one that mints after the next
rotation. RING must not exist; it gets mode 0600.

The two durations are what later edits go by: a ring can be rotated once every
node had --spread to receive the last change, and a retired key can be pruned
once every token it sealed is dead, which --token-life bounds.`,
		Example: "  carnet init ring.json --insecure-plain",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	f := cmd.Flags()
	f.BoolVar(&v.plain, "insecure-plain", false, "write the keys in the clear: whoever reads the file can mint sessions")
	f.DurationVar(&v.spread, "spread", 10*time.Minute, "how long it takes until every node has a changed ring")
	f.DurationVar(&v.tokenLife, "token-life", 31*24*time.Hour, "the longest life of a token")
	addFormatFlag(cmd, &v.format, "what tokens look like")
	v.addFlags(cmd)
	return cmd
}

func (v *initVerb) run(cmd *cobra.Command, args []string) error {
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	if !v.plain {
		return advise(usageError("the keys would be written in the clear"),
			"say --insecure-plain if that is acceptable here. Encrypted rings are to come and will be the default")
	}
	set, err := v.newSet()
	if err != nil {
		return err
	}
	if err := v.create(cmd, p, set); err != nil {
		return err
	}
	if err := v.print(cmd.OutOrStdout(), p, nil, set); err != nil {
		return err
	}
	v.announce(cmd, p, set)
	return nil
}

func (v *initVerb) newSet() (*keys.Set, error) {
	if v.spread == 0 || v.tokenLife == 0 {
		return nil, usageError("--spread and --token-life must be at least 1s")
	}
	set, err := keys.NewSet(keys.Format(v.format), keys.Policy{Spread: v.spread, TokenLife: v.tokenLife})
	if err != nil {
		return nil, usageError("%w", err)
	}
	return set, nil
}

func (v *initVerb) create(cmd *cobra.Command, p place, set *keys.Set) error {
	// Asked before Source.Create does, which puts a lock file beside the ring first.
	if p.Store == nil {
		if err := creatable(p.Path); err != nil {
			return fmt.Errorf("create key ring: %w", err)
		}
	}
	if v.dryRun {
		return nil
	}
	p.Plain = v.plain
	ctx, stop := interruptible(cmd)
	defer stop()
	return p.Create(ctx, set)
}

// creatable finds out whether a file could be made at path.
func creatable(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return advise(fmt.Errorf("%s: %w", path, fs.ErrExist), "choose another name, or rotate the ring that is there")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return advise(fmt.Errorf("the directory %s does not exist", dir), "mkdir -p -m 700 %s", shell(dir))
	}
	return replaceable(path)
}
