package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// printJSON writes v for a program to read.
func printJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return printAll(w, append(b, '\n'))
}

// printJSONLine writes v as one line, for a program that reads while this one runs.
func printJSONLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return printAll(w, append(b, '\n'))
}

// An output is standard output that remembers a failure. Cobra does not look at
// those of its help.
type output struct {
	*os.File
	failed error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.File.Write(b)
	if o.failed == nil {
		o.failed = err
	}
	return n, err
}

// check makes a failure of a lost result, whatever else there was.
func (o *output) check(err error) error {
	if f := new(failure); o.failed == nil || errors.As(err, &f) {
		return err
	}
	return &failure{fmt.Errorf("write result: %w", o.failed), exitFailed, ""}
}

// printTable aligns rows whose cells are separated by tabs.
func printTable(w io.Writer, rows ...string) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, printable(row))
	}
	t.Flush()
	return printAll(w, []byte(b.String()))
}

// printAll writes a result in one piece. A result that did not reach its reader
// is a failure.
func printAll(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// next tells a person what to do now.
func next(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintln(cmd.ErrOrStderr(), printable(fmt.Sprintf("next: "+format, args...)))
}

// note tells a person something on the side.
func note(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintln(cmd.ErrOrStderr(), printable(fmt.Sprintf("note: "+format, args...)))
}

// warn tells a person what can go wrong.
func warn(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintln(cmd.ErrOrStderr(), printable(fmt.Sprintf("warning: "+format, args...)))
}

// printable escapes what could steer a terminal: names come from stores, and errors
// from servers.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar || r == '\n' || r == '\t' {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// stamp prints a moment, or a dash if there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// ago prints how long something has lasted, to its two largest units.
func ago(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	switch {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, rest/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.String()
}

// shell quotes a path for a command line to be pasted.
func shell(path string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._-+=@%:", r)
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// spaced joins the words that are not empty.
func spaced(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}
