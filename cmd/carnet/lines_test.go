package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

type readLine struct {
	text    string
	tooLong bool
}

func readLines(t *testing.T, r io.Reader, limit int) (all []readLine) {
	t.Helper()
	for lines := newLineReader(r, limit); ; {
		line, tooLong, err := lines.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, readLine{string(line), tooLong})
	}
}

// splitLines is what a lineReader must find.
func splitLines(b []byte, limit int) (all []readLine) {
	for len(b) > 0 {
		var line []byte
		if line, b, _ = bytes.Cut(b, []byte("\n")); len(line) >= limit {
			all = append(all, readLine{"", true})
		} else {
			all = append(all, readLine{string(line), false})
		}
	}
	return all
}

// Fuzzed with lines around the size of the buffer, and readers that hand out
// their bytes in different pieces.
func FuzzLines(f *testing.F) {
	const limit = 16 // the least that bufio takes
	for _, s := range []string{"", "\n", "a", "a\n", "\n\n", "a\r\nb", strings.Repeat("x", 15), strings.Repeat("x", 15) + "\n",
		strings.Repeat("x", 16), strings.Repeat("x", 16) + "\n", strings.Repeat("x", 17) + "\ny", strings.Repeat("x", 64) + "\n\nz"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want := splitLines(b, limit)
		for name, r := range map[string]io.Reader{
			"whole":  bytes.NewReader(b),
			"bytes":  iotest.OneByteReader(bytes.NewReader(b)),
			"halves": iotest.HalfReader(bytes.NewReader(b)),
			"eof":    iotest.DataErrReader(bytes.NewReader(b)),
		} {
			if got := readLines(t, r, limit); !slices.Equal(got, want) {
				t.Errorf("%s: read %+v, want %+v", name, got, want)
			}
		}
	})
}

// A reader that fails is not a reader that ended: what came before the failure
// is no token.
func TestLinesFail(t *testing.T) {
	broken := errors.New("broken")
	for _, before := range []string{"", "abc", strings.Repeat("x", 100)} {
		lines := newLineReader(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)), 16)
		if line, _, err := lines.next(); !errors.Is(err, broken) || len(line) > 0 {
			t.Errorf("after %d bytes: line %q, error %v", len(before), line, err)
		}
	}
}
