package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// build compiles the command.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carnet")
	cmd := exec.Command("go", "build", "-o", path, "github.com/carnet-go/carnet/cmd/carnet")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build carnet: %v\n%s", err, out)
	}
	return path
}

func verifyCommand(carnet, ring string) *exec.Cmd {
	return exec.Command(carnet, "verify", "--base64", "--ring", ring, "--issuer", "example.com", "--audience", "web")
}

// verify returns the answers. The exit code must be 1: some are rejected.
func verify(t *testing.T, carnet, ring string, tokens []byte) (answers []string) {
	t.Helper()
	cmd := verifyCommand(carnet, ring)
	cmd.Stdin = bytes.NewReader(tokens)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// verdict is the line that the command prints for an outcome.
func verdict(o outcome) string {
	if o == accept {
		return "accept"
	}
	return "reject " + strings.TrimPrefix(family[o].Error(), token.ErrInvalid.Error()+": ")
}

// What the program of this package writes, judged by the command: the way in
// which another program would use both.
func TestVerdictsOfTheCommand(t *testing.T) {
	carnet := build(t)
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		dir := t.TempDir()
		file := func(name string) string { return filepath.Join(dir, name) }
		if err := write(f, dir); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(carnet, "export", file("ring.json"), "--out", file("verify.json")).CombinedOutput(); err != nil {
			t.Fatalf("export: %v\n%s", err, out)
		}
		names, tokens := read(t, file("names")), read(t, file("tokens"))
		for _, ring := range []string{"ring.json", "verify.json"} {
			answers := verify(t, carnet, file(ring), tokens)
			checkAnswers(t, strings.Fields(string(names)), answers)
		}
	})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func checkAnswers(t *testing.T, names, answers []string) {
	t.Helper()
	if len(answers) != len(names) {
		t.Fatalf("%d answers for %d tokens", len(answers), len(names))
	}
	for i, name := range names {
		want := verdict(outcome(name[strings.LastIndexByte(name, '.')+1:]))
		if answers[i] != want {
			t.Errorf("%s: %s", name, answers[i])
		}
	}
}
