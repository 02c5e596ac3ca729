package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
)

// A conversation is with a "carnet verify" that is still there when it has
// answered, so that one can look at it.
type conversation struct {
	ask     io.Writer
	answers *bufio.Reader
	pid     int
}

func talk(t *testing.T, carnet, ring string) conversation {
	t.Helper()
	cmd := verifyCommand(carnet, ring)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return conversation{in, bufio.NewReader(out), cmd.Process.Pid}
}

func (c conversation) judge(t *testing.T, e entry) {
	t.Helper()
	line := base64.StdEncoding.EncodeToString([]byte(e.tok)) + "\n"
	if _, err := io.WriteString(c.ask, line); err != nil {
		t.Fatal(err)
	}
	answer, err := c.answers.ReadString('\n')
	if want := verdict(e.want) + "\n"; answer != want {
		t.Errorf("%s: %q, %v", e.name, answer, err)
	}
}

// peak is the most memory that the process has had so far, in bytes.
func (c conversation) peak(t *testing.T) (kib int64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// A process that judges the corpus, and tokens of 64 KiB and 8 MiB, takes less
// than 16 MiB more than one that has judged one good token.
func TestPeakOfTheCommand(t *testing.T) {
	carnet := build(t)
	formattest.Each(t, func(t *testing.T, f keys.Format) {
		path := filepath.Join(t.TempDir(), "ring.json")
		if err := os.WriteFile(path, []byte(ring(f)), 0o600); err != nil {
			t.Fatal(err)
		}
		c := talk(t, carnet, path)
		entries := mustMint(t, f)
		c.judge(t, entries[0])
		before := c.peak(t)
		for _, e := range entries {
			c.judge(t, e)
		}
		after := c.peak(t)
		for e := range genuine(f) {
			c.judge(t, e)
		}
		afterLong := c.peak(t)
		t.Logf("%d KiB after one token, %d after the corpus, %d after long ones", before>>10, after>>10, afterLong>>10)
		if max(after, afterLong)-before > 16<<20 {
			t.Error("that is more than 16 MiB")
		}
	})
}
