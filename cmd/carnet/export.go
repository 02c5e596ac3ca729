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

func newExportCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export RING",
		Short: "Print the verify-only ring, for nodes that only read tokens",
		Long: `Print the verify-only ring, for nodes that only read tokens. It holds no private
key, so it can't mint; it can read every token, so it is secret too.

If standard output is a file, it gets mode 0600 before anything is written. With
--out the file never has another mode, and is replaced in one step.`,
		Example: "  carnet export ring.json > verify.json\n  carnet export ring.json --out verify.json",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return export(cmd, args[0], out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	return cmd
}

func export(cmd *cobra.Command, path, out string) error {
	if cmd.Flags().Changed("out") && out == "" {
		return usageError("the name after --out is empty")
	}
	ring, err := keys.Open(path)
	if err != nil {
		return adviseOpen(err, path)
	}
	doc, err := ring.Set().VerifyOnly()
	if err != nil {
		return err
	}
	if out == "" {
		err = exportTo(cmd.OutOrStdout(), cmd.ErrOrStderr(), doc)
	} else {
		err = exportFile(out, doc)
	}
	if err != nil {
		return err
	}
	next(cmd, "hand generation %d to the nodes that only read tokens; keep it from all others, it opens every token", ring.Generation())
	return nil
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

func exportFile(out string, doc []byte) error {
	if err := overwritable(out); err != nil {
		return fmt.Errorf("export to %s: %w", out, err)
	}
	if err := replaceFile(out, doc); err != nil {
		return fmt.Errorf("export to %s: %w", out, err)
	}
	return nil
}

// overwritable lets a newer verify-only ring replace an older one, and nothing
// else: the slip of naming the ring itself would destroy it.
func overwritable(out string) error {
	if _, err := os.Lstat(out); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := keys.OpenVerifyOnly(out); err != nil {
		return advise(errors.New("it exists and is no intact verify-only ring"),
			"choose another name, or remove the file first if it is of no use any more")
	}
	return nil
}
