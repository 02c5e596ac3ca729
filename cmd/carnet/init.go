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
	sealing
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
rotation. RING is a file, which gets mode 0600, or a place in Redis; there must be
none yet.

The ring is sealed under the key of --key-file, the one that the environment names
(CARNET_RING_KEY, CARNET_RING_KEY_FILE or CARNET_RING_PASSPHRASE), or a passphrase
that is asked for. Whoever opens it needs the same.

The two durations are what later edits go by: a ring can be rotated once every
node had --spread to receive the last change, and a retired key can be pruned
once every token it sealed is dead, which --token-life bounds.`,
		Example: "  carnet init ring.json\n" +
			"  carnet init ring.json --key-file /etc/carnet/key\n" +
			"  carnet init 'redis://localhost:6379/0?prefix=web' --key-file key",
		Args: ringArgs(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	f := cmd.Flags()
	v.sealing.addFlags(cmd)
	f.DurationVar(&v.spread, "spread", 10*time.Minute, "how long it takes until every node has a changed ring")
	f.DurationVar(&v.tokenLife, "token-life", 31*24*time.Hour, "the longest life of a token")
	addFormatFlag(cmd, &v.format, "what tokens look like")
	v.edit.addFlags(cmd)
	return cmd
}

func (v *initVerb) run(cmd *cobra.Command, args []string) error {
	p, err := newPlaceOf(args)
	if err != nil {
		return err
	}
	key, err := v.key(cmd, v.dryRun)
	if err != nil {
		return err
	}
	p.Key, p.Plain = key, v.plain
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
	if !v.dryRun {
		v.tell(cmd)
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
