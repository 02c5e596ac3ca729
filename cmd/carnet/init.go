package main

import (
	"context"
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
	set, err := v.newSet()
	if err != nil {
		return err
	}
	if err := v.create(cmd, p, set, &v.sealing); err != nil {
		return err
	}
	if !v.dryRun {
		v.tell(cmd)
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

// create puts a ring into a place that has none. That is asked before a key is made.
func (e *edit) create(cmd *cobra.Command, p place, set *keys.Set, under *sealing) (err error) {
	ctx, stop := interruptible(cmd)
	defer stop()
	if err := p.isFree(ctx); err != nil {
		return fmt.Errorf("create key ring: %w", err)
	}
	if p.Key, err = under.key(cmd, e.dryRun); err != nil {
		return err
	}
	p.Plain = under.plain
	if e.dryRun {
		p, _ = p.rehearse()
	}
	if err := p.Create(ctx, set); err != nil {
		under.keep(cmd)
		return err
	}
	return nil
}

// isFree returns nil if a ring can be made in the place.
func (p place) isFree(ctx context.Context) error {
	if p.Store == nil {
		return creatable(p.Path)
	}
	_, err := p.Store.Load(ctx)
	switch {
	case err == nil:
		return advise(fmt.Errorf("%s: %w", p, fs.ErrExist), "choose another prefix, or rotate the ring that is there")
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return p.advise(err)
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
