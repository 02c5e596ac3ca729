// Command leaks reads the output of a test run and fails if a key is in it.
//
//	go test -v ./... | go run ./internal/leaks
//
// The keys of a test run are random, so it looks for their form: 32 or 64 bytes
// as hex, as base64 of either alphabet, or as fmt prints a byte slice. What a
// verify-only document is meant to hold is let pass by the name beside it.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

func main() {
	found, err := scan(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "leaks:", err)
		os.Exit(1)
	}
	for _, line := range found {
		fmt.Fprintln(os.Stderr, line)
	}
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "leaks: %d lines have what looks like a key\n", len(found))
		os.Exit(1)
	}
}

var (
	numbers = regexp.MustCompile(`\[?(?:\b\d{1,3}[ ,]+){31}\d{1,3}\b`)
	goBytes = regexp.MustCompile(`(?:0x[0-9a-f]{1,2}, ?){31}0x[0-9a-f]{1,2}`)
	text    = regexp.MustCompile(`[0-9A-Za-z+/_-]{43,}={0,2}`)
	paserk  = regexp.MustCompile(`k4\.secret\.[0-9A-Za-z_-]{86}`)
	hexText = regexp.MustCompile(`^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})$`)

	// A public key, the sealing secret in the one document that is for it, the
	// verify-only key for who asks for it, and the digests of a ring's record.
	meant = regexp.MustCompile(`(?:"(?:public|seal|sha256|x|k|before|last)": ?"|--noted |was noted: "|^\s*verify-only:)$`)
	edits = regexp.MustCompile(`"edits": \[$`)
	edit  = regexp.MustCompile(`^\s*"[0-9A-Za-z_-]{43}",?$`)
	audit = regexp.MustCompile(`^ *\d+ +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  .*  $`)
)

// scan returns where in its input a key may stand, without the key.
func scan(r io.Reader) (found []string, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<26)
	digests := false // of a verify-only document, one a line
	for n := 1; lines.Scan(); n++ {
		digests = edits.MatchString(lines.Text()) || digests && edit.MatchString(lines.Text())
		if digests {
			continue
		}
		if form := suspect(lines.Text()); form != "" {
			found = append(found, fmt.Sprintf("line %d: a key as %s", n, form))
		}
	}
	return found, lines.Err()
}

// suspect names the form in which a line has 32 or 64 bytes.
func suspect(line string) string {
	switch {
	case numbers.MatchString(line), goBytes.MatchString(line):
		return "numbers"
	case paserk.MatchString(line):
		return "PASERK"
	}
	for _, at := range text.FindAllStringIndex(line, -1) {
		word := strings.TrimRight(line[at[0]:at[1]], "=")
		switch n := len(word); {
		case meant.MatchString(line[:at[0]]), audit.MatchString(line[:at[0]]), strings.ContainsAny(edge(line, at), "."):
			// Meant to be there, or a part of a token or of a key id.
		case strings.HasPrefix(word, "Test"), strings.HasPrefix(word, "Fuzz"):
			// The name of one.
		case hexText.MatchString(word):
			return "hex"
		case n == 43 || n == 86:
			return "base64"
		}
	}
	return ""
}

// edge returns the characters around a word.
func edge(line string, at []int) string {
	around := line[:at[0]]
	if len(around) > 0 {
		around = around[len(around)-1:]
	}
	if at[1] < len(line) {
		around += line[at[1] : at[1]+1]
	}
	return around
}
