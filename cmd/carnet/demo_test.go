package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runCarnet starts the command that TestMain makes of this test binary.
func runCarnet(t *testing.T, args ...string) (cmd *exec.Cmd, stdout *bufio.Reader) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "carnet")
	if err := os.Symlink(testProgram(t), program); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(program, args...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, bufio.NewReader(out)
}

func testProgram(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDemoServesUntilInterrupted(t *testing.T) {
	cmd, stdout := runCarnet(t, "demo", "--addr", "127.0.0.1:0", "--json")
	line, err := stdout.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		Front string
		Nodes []struct{ Name, URL string }
		Ring  string
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil || len(ready.Nodes) != 3 {
		t.Fatalf("%v in %q", err, line)
	}
	for _, url := range []string{ready.Front, ready.Nodes[0].URL, ready.Nodes[1].URL, ready.Nodes[2].URL} {
		checkPage(t, url)
	}
	if _, err := os.Stat(ready.Ring); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	rest, _ := io.ReadAll(stdout)
	if err := cmd.Wait(); err != nil || len(rest) > 0 {
		t.Errorf("ended with %v and %q", err, rest)
	}
	t.Logf("stopped after %v", time.Since(began))
	if _, err := os.Stat(filepath.Dir(ready.Ring)); !os.IsNotExist(err) {
		t.Errorf("the ring is still there: %v", err)
	}
}

func checkPage(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Get(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(page), "carnet demo") {
		t.Errorf("%s: %d %v", url, resp.StatusCode, err)
	}
}

func TestDemoOnATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cmd, stdout := runCarnet(t, "demo", "--addr", l.Addr().String())
	out, _ := io.ReadAll(stdout)
	if err := cmd.Wait(); err == nil || len(out) > 0 {
		t.Errorf("ended with %v and %q", err, out)
	}
	if code := cmd.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
}
