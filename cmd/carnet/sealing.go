package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/keys/keystore"
)

// A sealing is what a ring is to be sealed under: a key file, what the environment
// names, or a passphrase that somebody types.
type sealing struct {
	plain   bool
	fips    bool
	keyFile string
	made    bool // the key file was not there
}

func (s *sealing) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.keyFile, "key-file", "", "seal under the key in this file, which is made if it is not there")
	f.BoolVar(&s.fips, "fips", false, "seal for nodes that enforce FIPS 140")
	f.BoolVar(&s.plain, "insecure-plain", false, "write the keys in the clear: whoever reads them can mint sessions")
	cmd.MarkFlagsMutuallyExclusive("key-file", "insecure-plain")
	cmd.MarkFlagsMutuallyExclusive("fips", "insecure-plain")
}

// key returns nil for a ring in the clear.
func (s *sealing) key(cmd *cobra.Command, dryRun bool) (*kek.Key, error) {
	if s.plain {
		return nil, nil
	}
	k, err := s.find(cmd, dryRun)
	if err == nil && s.fips {
		k = k.FIPS()
	}
	return k, err
}

func (s *sealing) find(cmd *cobra.Command, dryRun bool) (*kek.Key, error) {
	if s.keyFile != "" {
		return s.fromFile(cmd, dryRun)
	}
	k, err := kek.FromEnv()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, advise(err, "if there is to be a new key there, let --key-file make it")
	}
	if k != nil || err != nil {
		return k, err
	}
	if !interactive() {
		return nil, advise(usageError("what is the ring to be sealed under?"),
			"name a key file, which is made if it is not there, with --key-file; or set CARNET_RING_KEY, CARNET_RING_KEY_FILE or CARNET_RING_PASSPHRASE; or say --insecure-plain")
	}
	p, err := ask("new passphrase of the ring: ")
	if err != nil {
		return nil, err
	}
	again, err := ask("the same again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(p, again) {
		return nil, errors.New("the two passphrases differ")
	}
	return kek.Passphrase(string(p))
}

// fromFile reads the key in a file, or makes one.
func (s *sealing) fromFile(cmd *cobra.Command, dryRun bool) (*kek.Key, error) {
	path := s.keyFile
	if isKey(path) {
		return nil, advise(usageError("--key-file takes the path of a file with a key, and that is a key"),
			"put it into a file that nobody else can read, or into CARNET_RING_KEY; it is in the history of the shell now")
	}
	file := keystore.File(path)
	text, err := file.Load(cmd.Context())
	if errors.Is(err, fs.ErrNotExist) {
		if err := creatable(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("key file: %w", err)
		}
		text = []byte(kek.Generate() + "\n")
		if dryRun {
			return kek.Parse(string(text))
		}
		err = file.Save(cmd.Context(), nil, text)
		if errors.Is(err, keystore.ErrConflict) { // somebody made one in the meantime
			text, err = file.Load(cmd.Context())
		} else if err == nil {
			s.made = true
			note(cmd, "made the key file %s: without it nobody can open the ring; keep a copy, and not beside the ring's", s.path())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	k, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return k, nil
}

// parseKey reads a key as CARNET_RING_KEY_FILE does: text, or 32 raw bytes.
func parseKey(text []byte) (*kek.Key, error) {
	if len(text) == 32 && printable(string(text)) != string(text) {
		return kek.New(text)
	}
	return kek.Parse(string(text))
}

// tell says how to open the ring from now on.
func (s *sealing) tell(cmd *cobra.Command) {
	if s.keyFile != "" {
		next(cmd, "for every command and program that opens it: export CARNET_RING_KEY_FILE=%s", shell(s.path()))
	}
}

// keep is for when the ring could not be made. A key file is not removed again:
// somebody may have sealed another ring under it already.
func (s *sealing) keep(cmd *cobra.Command) {
	if s.made {
		note(cmd, "the key file %s stays, and is used when you run it again", s.path())
	}
}

// path is where the key file is, from any directory.
func (s *sealing) path() string {
	if path, err := filepath.Abs(s.keyFile); err == nil {
		return path
	}
	return s.keyFile
}

// unlock asks for the passphrase of a sealed ring, if there is nobody else to tell
// it.
func (p *place) unlock() error {
	if k, err := kek.FromEnv(); k != nil || err != nil || !interactive() {
		return nil // what is wrong is told when the ring is opened
	}
	store := p.Store
	if store == nil {
		store = keystore.File(p.Path)
	}
	doc, err := store.Load(context.Background())
	if h := headOf(doc); err != nil || h.Kind != sealedKind || h.Ring.Way == "raw" {
		return nil
	}
	text, err := ask("passphrase of " + p.name + ": ")
	if err != nil {
		return err
	}
	p.Key, err = kek.Passphrase(string(text))
	return err
}

func interactive() bool { return term.IsTerminal(int(os.Stdin.Fd())) }

func ask(prompt string) ([]byte, error) {
	fmt.Fprint(os.Stderr, prompt)
	text, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return nil, fmt.Errorf("read passphrase: %w", err)
	}
	return text, nil
}
