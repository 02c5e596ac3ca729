package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/revocation"
)

const (
	maxValues = 10_000_000 // lines
	perBatch  = 1000       // marks in a call
)

// readValues reads a value from each line of a file. Lines end at LF or CR LF.
func readValues(cmd *cobra.Command, path string) (values []string, err error) {
	in := cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	lines := newLineReader(in, maxLine)
	for {
		line, tooLong, err := lines.next()
		switch {
		case errors.Is(err, io.EOF) && len(values) == 0:
			return nil, fmt.Errorf("%s has no lines", path)
		case errors.Is(err, io.EOF):
			return values, nil
		case err != nil:
			return nil, fmt.Errorf("read line %d of %s: %w", len(values)+1, path, err)
		case tooLong:
			return nil, fmt.Errorf("line %d of %s is too long", len(values)+1, path)
		case len(values) == maxValues:
			return nil, fmt.Errorf("%s has more than %d lines", path, maxValues)
		}
		value := strings.TrimSuffix(string(line), "\r")
		if value == "" {
			return nil, fmt.Errorf("line %d of %s is empty", len(values)+1, path)
		}
		values = append(values, value)
	}
}

// inBatches does something to the marks, a batch at a time, and tells a person
// about it if there are several.
func inBatches(cmd *cobra.Command, marks []revocation.Mark, do func(context.Context, ...revocation.Mark) error) error {
	told := time.Now()
	for done := 0; done < len(marks); {
		n := min(perBatch, len(marks)-done)
		if err := do(cmd.Context(), marks[done:done+n]...); err != nil {
			return advise(fmt.Errorf("after %d of %d marks: %w", done, len(marks), err),
				"run it again: what is done already is not done twice")
		}
		if done += n; len(marks) > perBatch && (done == len(marks) || time.Since(told) > time.Second) {
			told = time.Now()
			fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d\n", done, len(marks))
		}
	}
	return nil
}
