package main

import (
	"crypto/fips140"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const dir = "../../keys/testdata/golden"

// The committed files are what the program writes, and nothing else.
func TestRunAgain(t *testing.T) {
	again := t.TempDir()
	err := write(again)
	if fips140.Enforced() { // keys of PASETO, and nonces that are not random
		if err == nil || !strings.Contains(err.Error(), "FIPS 140") {
			t.Errorf("got %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want, got := files(t, dir), files(t, again)
	for name, content := range want {
		if got[name] != content {
			t.Errorf("%s is another", name)
		}
	}
	if len(got) != len(want) || len(want) < 16 {
		t.Errorf("%d files are committed, %d were made", len(want), len(got))
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The page shows genuine tokens.
func TestThePageShowsGoldenTokens(t *testing.T) {
	page, err := os.ReadFile("../../docs/format.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(page), "\n", "")
	for name, content := range files(t, dir) {
		if strings.HasSuffix(name, "session-active.token") && !strings.Contains(text, "```"+content+"```") {
			t.Errorf("%s is not on the page", name)
		}
	}
}
