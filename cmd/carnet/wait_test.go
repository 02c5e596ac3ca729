package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/carnet-go/carnet/keys"
)

// TestAnEditSaysWhatItWaitsFor interrupts one that waits for a lock for ever.
func TestAnEditSaysWhatItWaitsFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring.json")
	if out, err := exec.Command("carnet", "init", path, "--insecure-plain").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	unlock, err := lockedfile.MutexAt(path + ".lock").Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	cmd := exec.Command("carnet", "rotate", "--force", path)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said = append(said, lines.Text())
		if strings.HasPrefix(lines.Text(), "note: waiting for the lock "+path+".lock") {
			cmd.Process.Signal(os.Interrupt)
		}
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || len(said) != 2 || !strings.Contains(said[1], "wait for the lock") {
		t.Errorf("exit code %d after:\n%s", code, strings.Join(said, "\n"))
	}
	if set, err := (keys.Source{Path: path}).Load(t.Context()); err != nil || set.Generation() != 1 {
		t.Errorf("the ring was changed: %v", err)
	}
}
