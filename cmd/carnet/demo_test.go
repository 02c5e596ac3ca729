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

	"github.com/carnet-go/carnet/internal/redistest"
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

// Nodes with a connection and a copy each: what is denied at the command line or
// by a logout on one is refused on all, and stays so while Redis is away.
func TestDemoOnRedis(t *testing.T) {
	server := redistest.Start(t)
	list := "redis://" + server.Addr + "/0"
	_, stdout := runCarnet(t, "demo", "--addr", "127.0.0.1:0", "--json", "--redis", list)
	line, err := stdout.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		Front string
		Nodes []struct{ URL string }
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil || len(ready.Nodes) != 3 {
		t.Fatalf("%v in %q", err, line)
	}
	send := func(method, url, cookie, form string) *http.Response {
		t.Helper()
		req, err := http.NewRequest(method, url, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Cookie", cookie)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	logIn := func(name string) string {
		t.Helper()
		resp := send("POST", ready.Front+"/login", "", "name="+name)
		if resp.StatusCode != http.StatusOK || len(resp.Cookies()) != 1 {
			t.Fatalf("login: %d", resp.StatusCode)
		}
		return resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
	}
	alice, bob, carol := logIn("alice"), logIn("bob"), logIn("carol")
	if resp := send("POST", ready.Nodes[1].URL+"/logout", bob, ""); resp.StatusCode != http.StatusOK {
		t.Errorf("logout: %d", resp.StatusCode)
	}
	cmd, _ := runCarnet(t, "deny", "subject", "alice", "--list", list, "--prefix", "carnet-demo:")
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, n := range ready.Nodes {
		for _, cookie := range []string{alice, bob} {
			redistest.Wait(t, "the node refuses", func() bool {
				return send("GET", n.URL+"/me", cookie, "").StatusCode == http.StatusUnauthorized
			})
		}
	}
	server.Kill()
	for _, n := range ready.Nodes {
		for cookie, want := range map[string]int{alice: http.StatusUnauthorized, bob: http.StatusUnauthorized, carol: http.StatusOK} {
			if resp := send("GET", n.URL+"/me", cookie, ""); resp.StatusCode != want {
				t.Errorf("without Redis: %d, want %d", resp.StatusCode, want)
			}
		}
	}
}
