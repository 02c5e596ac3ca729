package arch

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys"
)

func readme(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// block returns the first code block of that language.
func block(t *testing.T, doc, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(doc, "```"+language+"\n")
	code, _, ok2 := strings.Cut(rest, "\n```")
	if !ok || !ok2 {
		t.Fatalf("no block of %s", language)
	}
	return code + "\n"
}

func TestReadmeIsShort(t *testing.T) {
	if n := strings.Count(readme(t), "\n"); n >= 120 {
		t.Errorf("README.md has %d lines", n)
	}
	_, body, _ := strings.Cut(block(t, readme(t), "go"), "func main() {\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	if n := strings.Count(body, "\n") + 1; n > 30 {
		t.Errorf("main has %d lines", n)
	}
}

// The program as printed, but for the port, which may be taken.
func TestReadmeProgramRuns(t *testing.T) {
	dir := t.TempDir()
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if err := (keys.Source{Path: filepath.Join(dir, "ring.json"), Plain: true}).Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	source := block(t, readme(t), "go")
	changed := strings.Replace(source, `":8080"`, fmt.Sprintf("%q", addr), 1)
	if changed == source {
		t.Fatal("the program does not listen on :8080")
	}
	if msg, err := build(t, changed, filepath.Join(dir, "program")); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	start(t, dir, filepath.Join(dir, "program"), addr)
	useProgram(t, "http://"+addr)
}

// The lines of the README, as they stand there but for the address.
func TestReadmeDemo(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "carnet")
	goCommand(t, "build", "-o", program, "./cmd/carnet")
	addr := freeAddr(t)
	start(t, dir, program, addr, "demo", "--addr", addr)
	var answers []string
	for line := range strings.Lines(strings.ReplaceAll(block(t, readme(t), "sh"), "127.0.0.1:8080", addr)) {
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		answers = append(answers, string(out))
	}
	// log in, me, me, rotate, me, log out, me
	if len(answers) != 7 {
		t.Fatalf("%d lines", len(answers))
	}
	for _, i := range []int{1, 2, 4} {
		if !strings.Contains(answers[i], `"subject":"alice"`) {
			t.Errorf("line %d: %s", i+1, answers[i])
		}
	}
	for _, i := range []int{0, 1, 2, 3, 4, 5} {
		if !strings.Contains(answers[i], `"node":"`) {
			t.Errorf("line %d does not name its node: %s", i+1, answers[i])
		}
	}
	if answers[6] != "Unauthorized\n" {
		t.Errorf("after the logout: %s", answers[6])
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs a program until the test ends, and returns when it listens.
func start(t *testing.T, dir, program, addr string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-exited })
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-exited:
			t.Fatal("the program ended")
		default:
		}
	}
}

func useProgram(t *testing.T, base string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	// The jar keeps Secure cookies to https; the program serves http.
	c := &http.Client{Jar: jar, Transport: asHTTPS{}}
	base = strings.Replace(base, "http://", "https://", 1)
	post := func(path string, form url.Values) *http.Response {
		t.Helper()
		resp, err := c.PostForm(base+path, form)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	get := func() (int, string) {
		t.Helper()
		resp, err := c.Get(base + "/me")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		line, _ := bufio.NewReader(resp.Body).ReadString('\n')
		return resp.StatusCode, line
	}
	if code, _ := get(); code != http.StatusUnauthorized {
		t.Errorf("before the login: %d", code)
	}
	post("/login", url.Values{"name": {"alice"}})
	if code, body := get(); code != http.StatusOK || body != "hello, alice\n" {
		t.Errorf("after the login: %d %q", code, body)
	}
	u, _ := url.Parse(base)
	stolen := jar.Cookies(u)
	post("/logout", nil)
	jar.SetCookies(u, stolen)
	if code, _ := get(); code != http.StatusUnauthorized {
		t.Errorf("the old cookie after the logout: %d", code)
	}
}

// asHTTPS talks http where the client believes that it talks https.
type asHTTPS struct{}

func (asHTTPS) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme = "http"
	return http.DefaultTransport.RoundTrip(r)
}
