package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// A failure is an error with an exit code and advice.
type failure struct {
	err  error
	code int
	next string // what to do about it; may be empty
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usageError says that the command line was wrong. It must not quote a token.
func usageError(format string, args ...any) error {
	return &failure{fmt.Errorf(format, args...), exitUsage, ""}
}

// advise adds what to do next to the error of an operation.
func advise(err error, format string, args ...any) error {
	code := exitFailed
	if f := new(failure); errors.As(err, &f) {
		code = f.code
	}
	return &failure{err, code, fmt.Sprintf(format, args...)}
}

// failing marks what a verb itself returns. Every other error is cobra's opinion
// of the command line.
func failing(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if f := new(failure); err == nil || errors.As(err, &f) {
			return err
		}
		return &failure{err, exitFailed, ""}
	}
}

// report tells a person about err and returns the exit code.
func report(cmd *cobra.Command, err error) int {
	if err == nil {
		return 0
	}
	f := &failure{code: exitUsage}
	errors.As(err, &f)
	message := strings.TrimSpace(err.Error())
	if f.code == exitUsage {
		message = shorten(message)
	}
	message = printable(message)
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "%s: %s\n", cmd.CommandPath(), message)
	if f.next != "" {
		fmt.Fprintf(w, "next: %s\n", printable(f.next))
	}
	if f.code == exitUsage {
		fmt.Fprintf(w, "\n%s", cmd.UsageString())
	}
	return f.code
}

// longWord is longer than any word of ours, in bytes.
var longWord = regexp.MustCompile(`\S{40}\S+`)

// shorten cuts long words to what gives nothing away: cobra quotes what it did not
// expect, which may be a token or a key.
func shorten(message string) string {
	return longWord.ReplaceAllStringFunc(message, func(word string) string {
		return strings.ToValidUTF8(word[:12], "") + "…"
	})
}
