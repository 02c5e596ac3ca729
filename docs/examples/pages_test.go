// Package examples has the programs of the documentation.
package examples

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks returns the code of a language on a page.
func blocks(page, language string) (all []string) {
	for {
		_, rest, ok := strings.Cut(page, "```"+language+"\n")
		if !ok {
			return all
		}
		code, after, _ := strings.Cut(rest, "```")
		all, page = append(all, code), after
	}
}

// flat is code without its indentation.
func flat(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		fmt.Fprintln(&b, strings.TrimSpace(line))
	}
	return b.String()
}

// What these pages show is code that is tested.
func TestPagesShowTestedCode(t *testing.T) {
	var tested strings.Builder
	for _, pattern := range []string{
		"*/*.go", "../../internal/browser/*_test.go", "../../interop/*_test.go", "../../*/*/example_test.go",
		"../../chimw/example_test.go", "../../chimw/*/redis*/example_test.go",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, file := range files {
			tested.WriteString(flat(read(t, file)))
		}
	}
	for _, page := range []string{
		"getting-started", "streams", "migrating", "stolen-cookie", "lifetimes", "refresh", "overflow", "reasons",
		"revocation",
	} {
		all := blocks(read(t, "../"+page+".md"), "go")
		if len(all) == 0 {
			t.Errorf("%s.md shows no code", page)
		}
		for _, code := range all {
			if !strings.Contains(tested.String(), flat(code)) {
				t.Errorf("%s.md shows what is in no file that is tested:\n%s", page, code)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([\w./-]+)(#[\w-]+)?\)`)

// A link leads to a file that is there, and each page has one to another and is on one.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("../*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages, %v", err)
	}
	linked := map[string]bool{}
	for _, page := range append(pages, "../../README.md") {
		var links bool
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target := filepath.Join(filepath.Dir(page), m[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", page, err)
			}
			links = true
			linked[filepath.Base(target)] = true
		}
		if !links {
			t.Errorf("%s leads nowhere", page)
		}
	}
	for _, page := range pages {
		if !linked[filepath.Base(page)] {
			t.Errorf("nothing leads to %s", page)
		}
	}
}

// The commands of the page, as they stand there but for the port, with the program as
// printed.
func TestGettingStarted(t *testing.T) {
	page := read(t, "../getting-started.md")
	dir := t.TempDir()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	here := fmt.Sprintf("localhost:%d", addr.Port)

	program := blocks(page, "go")[0]
	main := filepath.Join(dir, "main.go")
	if err := os.WriteFile(main, []byte(strings.Replace(program, "localhost:8080", here, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	commands := blocks(page, "sh")
	if len(commands) != 6 {
		t.Fatalf("%d blocks of commands", len(commands))
	}
	where := dir
	run := func(line string) string {
		t.Helper()
		line = strings.NewReplacer("localhost:8080", here, "../carnet", "'"+checkout+"'").Replace(line)
		cmd := exec.Command("sh", "-ec", line)
		cmd.Dir, cmd.Stderr = where, os.Stderr
		cmd.Env = append(os.Environ(), "GOBIN="+dir, "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return string(out)
	}
	where = checkout
	run(commands[0])
	where = dir
	run(commands[1])
	run(commands[2])
	start(t, dir, strings.TrimSuffix(strings.TrimSpace(commands[3]), " &"), here)
	var answers []string
	for line := range strings.Lines(commands[4]) {
		answers = append(answers, run(line))
	}
	want := []string{"", "hello, alice, for the 1. time\n", "hello, alice, for the 2. time\n", "", "", "Unauthorized\n", "Unauthorized\n"}
	if got := fmt.Sprintf("%q", answers[1:]); got != fmt.Sprintf("%q", want[1:]) {
		t.Errorf("the answers are %s, want %q", got, want[1:])
	}
	run(commands[5])
	if verify := read(t, filepath.Join(dir, "verify.json")); !strings.Contains(verify, "verify") {
		t.Error("no verify-only ring was exported")
	}
}

// start runs a command until the test ends, and returns when it listens.
func start(t *testing.T, dir, line, addr string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "export "+strings.Replace(line, " ", "; exec ", 1))
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-exited })
	for {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		select {
		case <-exited:
			t.Fatalf("the program ended: %s", out.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
