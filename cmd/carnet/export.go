package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

type exportVerb struct {
	out  string
	jwks bool
}

func newExportCmd() *cobra.Command {
	v := new(exportVerb)
	cmd := &cobra.Command{
		Use:   "export RING",
		Short: "Print the verify-only ring, for nodes that only read tokens",
		Long: `Print the verify-only ring, for nodes that only read tokens. It holds no private
key, so it can't mint; it can read every token, so it is secret too.

With --jwks it is a JWK set (RFC 7517), for services in other languages. PASETO
keys have no such form.

If standard output is a file, it gets mode 0600 before anything is written. With
--out the file never has another mode, and is replaced in one step.`,
		Example: "  carnet export ring.json > verify.json\n  carnet export ring.json --out verify.json\n  carnet export --jwks ring.json > jwks.json",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return v.export(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&v.out, "out", "", "write to this file instead of standard output")
	cmd.Flags().BoolVar(&v.jwks, "jwks", false, "print a JWK set instead, for services in other languages")
	return cmd
}

func (v *exportVerb) export(cmd *cobra.Command, path string) error {
	if cmd.Flags().Changed("out") && v.out == "" {
		return usageError("the name after --out is empty")
	}
	ring, err := keys.Open(path)
	if err != nil {
		return adviseOpen(err, path)
	}
	doc, err := v.document(cmd, ring.Set(), path)
	if err != nil {
		return err
	}
	if v.out == "" {
		err = exportTo(cmd.OutOrStdout(), cmd.ErrOrStderr(), doc)
	} else {
		err = v.exportFile(doc)
	}
	if err != nil {
		return err
	}
	next(cmd, "hand generation %d to the nodes that only read tokens; keep it from all others, it opens every token", ring.Generation())
	return nil
}

func (v *exportVerb) document(cmd *cobra.Command, s *keys.Set, path string) ([]byte, error) {
	if v.jwks {
		return jwks(cmd.ErrOrStderr(), s, path)
	}
	return s.VerifyOnly()
}

func exportTo(w, log io.Writer, doc []byte) error {
	if f, ok := w.(*os.File); ok {
		if err := protect(f, log); err != nil {
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

func (v *exportVerb) exportFile(doc []byte) error {
	if err := v.overwritable(); err != nil {
		return fmt.Errorf("export to %s: %w", v.out, err)
	}
	if err := replaceFile(v.out, doc); err != nil {
		return fmt.Errorf("export to %s: %w", v.out, err)
	}
	return nil
}

// overwritable lets a newer export replace an older one of its kind, and nothing
// else: the slip of naming the ring itself would destroy it.
func (v *exportVerb) overwritable() error {
	if _, err := os.Lstat(v.out); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	kind, intact := "verify-only ring", isVerifyOnly
	if v.jwks {
		kind, intact = "JWK set", isJWKS
	}
	if !intact(v.out) {
		return advise(fmt.Errorf("it exists and is no intact %s", kind),
			"choose another name, or remove the file first if it is of no use any more")
	}
	return nil
}

func isVerifyOnly(path string) bool {
	_, err := keys.OpenVerifyOnly(path)
	return err == nil
}
