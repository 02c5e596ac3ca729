package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystore"
)

type exportVerb struct {
	out    string
	jwks   bool
	paserk bool
	key    bool
}

func newExportCmd() *cobra.Command {
	v := new(exportVerb)
	cmd := &cobra.Command{
		Use:   "export RING",
		Short: "Print the verify-only ring, for nodes that only read tokens",
		Long: `Print the verify-only ring, for nodes that only read tokens. It holds no private
key, so it can't mint; it can read every token, so it is secret too.

For services in other languages it can be a JWK set (RFC 7517), which has the JWT
keys of the ring, or a list of PASERK keys, which has the PASETO keys. Neither is
ever sealed.

The export of a sealed ring is sealed, for the ring's key and for its verify-only
key, which --verify-only-key prints. A node that has only that can read tokens
from the export, and from the ring itself, and can't mint.

If standard output is a file, it gets mode 0600 before anything is written. With
--out the file never has another mode, and is replaced in one step.`,
		Example: "  carnet export ring.json --out verify.json\n  carnet export --jwks ring.json > jwks.json",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.export(cmd, args) },
	}
	cmd.Flags().StringVar(&v.out, "out", "", "write to this file instead of standard output")
	cmd.Flags().BoolVar(&v.jwks, "jwks", false, "print a JWK set instead")
	cmd.Flags().BoolVar(&v.paserk, "paserk", false, "print a list of PASERK keys instead")
	cmd.Flags().BoolVar(&v.key, "verify-only-key", false, "print the key that opens the verify-only half of a sealed ring")
	cmd.MarkFlagsMutuallyExclusive("jwks", "paserk", "verify-only-key")
	cmd.MarkFlagsMutuallyExclusive("out", "verify-only-key")
	return cmd
}

func (v *exportVerb) export(cmd *cobra.Command, args []string) error {
	if cmd.Flags().Changed("out") && v.out == "" {
		return usageError("the name after --out is empty")
	}
	if isKey(v.out) {
		return usageError("--out takes the name of a file, and that is a key")
	}
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	if v.key {
		return v.verifyKey(cmd, p)
	}
	set, err := p.load(cmd.Context())
	if err != nil {
		return err
	}
	doc, err := v.document(cmd, set, p)
	if err != nil {
		return err
	}
	if v.out == "" {
		err = exportTo(cmd.OutOrStdout(), cmd.ErrOrStderr(), doc)
	} else {
		err = v.exportFile(cmd, set, doc)
	}
	if err != nil {
		return err
	}
	next(cmd, "hand generation %d to the nodes that only read tokens; keep it from all others, it opens every token", set.Generation())
	return nil
}

func (v *exportVerb) verifyKey(cmd *cobra.Command, p place) error {
	text, err := p.VerifyKey(cmd.Context())
	if err != nil {
		return p.advise(err)
	}
	if err := exportTo(cmd.OutOrStdout(), cmd.ErrOrStderr(), []byte(text+"\n")); err != nil {
		return err
	}
	next(cmd, "give it, as CARNET_RING_KEY, to the nodes that only read tokens; it opens every token")
	return nil
}

func (v *exportVerb) document(cmd *cobra.Command, s *keys.Set, p place) ([]byte, error) {
	if d := v.dialect(); d != nil {
		return d.document(cmd.ErrOrStderr(), s, p)
	}
	return p.Export(cmd.Context())
}

// dialect is nil for a verify-only ring.
func (v *exportVerb) dialect() *dialect {
	switch {
	case v.jwks:
		return jwks
	case v.paserk:
		return paserk
	}
	return nil
}

func exportTo(w, log io.Writer, doc []byte) error {
	if out, ok := w.(*output); ok {
		if err := protect(out.File, log); err != nil {
			return advise(err, "use --out FILE")
		}
	}
	return printAll(w, doc)
}

// protect takes the rights of others away from a file that a shell made.
func protect(f *os.File, log io.Writer) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("protect standard output: %w", err)
	}
	mode := info.Mode()
	if !mode.IsRegular() || mode.Perm()&0o077 == 0 {
		return nil
	}
	if !owned(info) {
		return fmt.Errorf("others can use the file on standard output (mode %04o), and it belongs to another user", mode.Perm())
	}
	if err := f.Chmod(0o600); err != nil {
		return fmt.Errorf("protect standard output: %w", err)
	}
	fmt.Fprintf(log, "note: the file on standard output had mode %04o, it has 0600 now\n", mode.Perm())
	return nil
}

func (v *exportVerb) exportFile(cmd *cobra.Command, s *keys.Set, doc []byte) error {
	if err := v.replace(cmd, s, doc); err != nil {
		return fmt.Errorf("export to %s: %w", v.out, err)
	}
	return nil
}

// replace lets a newer export take the place of an older one of its ring, and of
// nothing else: the slip of naming the ring itself would destroy it.
func (v *exportVerb) replace(cmd *cobra.Command, s *keys.Set, doc []byte) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	out := keystore.File(v.out)
	old, err := out.Load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = nil, nil
	}
	if err == nil && old != nil {
		err = v.mayReplace(old, s, doc)
	}
	if err == nil {
		err = replaceable(v.out)
	}
	if err == nil {
		err = out.Save(ctx, old, doc)
	}
	if errors.Is(err, keystore.ErrConflict) {
		return advise(errors.New("somebody else exported to it in the meantime"), "look whether that is what you want, or export again")
	}
	return err
}

func (v *exportVerb) mayReplace(old []byte, s *keys.Set, doc []byte) error {
	if d := v.dialect(); d != nil {
		return d.mayReplace(old, s)
	}
	was, is := headOf(old), headOf(doc)
	switch {
	case !was.isExport():
		return notAn("verify-only ring")
	case was.Ring.Name != is.Ring.Name:
		return advise(errors.New("it is the export of another ring"), "choose another name, or remove the file first")
	case was.Ring.Generation > is.Ring.Generation:
		return advise(fmt.Errorf("it has generation %d of the ring already, and this is %d", was.Ring.Generation, is.Ring.Generation),
			"use the newest ring, or remove the file first")
	}
	return nil
}

func notAn(kind string) error {
	return advise(fmt.Errorf("it exists and is no intact %s", kind),
		"choose another name, or remove the file first if it is of no use any more")
}

// A head is what a document says of itself to everybody.
type head struct {
	Kind string `json:"kind"`
	Ring struct {
		Name       string `json:"name"`
		Generation uint64 `json:"generation"`
		Way        string `json:"key_from"`
		KeyID      string `json:"key_id"`
		Sealed     []byte `json:"sealed_ring"`
	} `json:"ring"`
}

const sealedKind = "carnet sealed ring"

func headOf(doc []byte) (h head) {
	if json.Unmarshal(doc, &h) != nil {
		return head{}
	}
	return h
}

func (h head) isExport() bool {
	return h.Kind == "carnet verify-only ring" || h.Kind == sealedKind && h.Ring.Sealed == nil
}
