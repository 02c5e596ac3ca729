// Package redistest runs real redis-server processes for tests: one alone, a
// master with replicas and Sentinels, a cluster. They listen on free ports of
// 127.0.0.1, keep their files in the test's temporary directory, and are gone when
// the test ends. A test fails if the programs are not installed: make tools.
package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take to answer on a busy machine.
const patience = 30 * time.Second

// A Server is one process, which may be down.
type Server struct {
	Addr string // host and port, the same after each start

	tb      testing.TB
	program string
	args    []string
	env     []string
	cmd     *exec.Cmd
}

// Start starts a server that keeps nothing on disk, and waits until it answers.
// Args are options as on its command line, such as "--appendonly", "yes".
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	s := New(tb, args...)
	s.Start()
	return s
}

// New returns a server that is down.
func New(tb testing.TB, args ...string) *Server {
	tb.Helper()
	port := freePort(tb)
	return newServer(tb, "redis-server", port, append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", tb.TempDir(),
		"--save", "", "--appendonly", "no", "--loglevel", "warning", "--logfile", "log",
		"--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0",
	}, args...))
}

func newServer(tb testing.TB, program, port string, args []string) *Server {
	s := &Server{Addr: "127.0.0.1:" + port, tb: tb, program: program, args: args}
	tb.Cleanup(s.Kill)
	return s
}

// Port returns the port.
func (s *Server) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr)
	return port
}

// Start starts a server that is down, on the address and the files that it had.
func (s *Server) Start() {
	s.tb.Helper()
	s.Launch()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		answer, err := s.Do("PING")
		if err == nil && answer == "PONG" {
			return
		}
		if time.Now().After(deadline) {
			s.tb.Fatalf("%s does not answer on %s: %q, %v", s.program, s.Addr, answer, err)
		}
	}
}

// Launch starts a server that is down, and does not wait for it.
func (s *Server) Launch() {
	s.tb.Helper()
	s.cmd = exec.Command(s.program, s.args...)
	s.cmd.Env = append(os.Environ(), s.env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for the test alone
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatalf("start %s: %v (make tools installs it)", s.program, err)
	}
}

// Kill ends the process with SIGKILL, as a crash would. It may be down.
func (s *Server) Kill() {
	if s.cmd != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

// Freeze stops the process with SIGSTOP: connections stay, and nothing answers.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets it go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatalf("%v to %s: %v", sig, s.program, err)
	}
}

// Do sends a command on a connection of its own and returns the first line of the
// answer, or the text of a bulk string. Arguments must have no spaces.
func (s *Server) Do(args ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(conn, "%s\r\n", strings.Join(args, " ")); err != nil {
		return "", err
	}
	return answer(bufio.NewReader(conn))
}

func answer(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil || len(line) < 3 {
		return "", fmt.Errorf("read %q: %w", line, err)
	}
	kind, text := line[0], strings.TrimRight(line[1:], "\r\n")
	switch kind {
	case '-':
		return "", errors.New(text)
	case '*': // the elements, a line each
		n, _ := strconv.Atoi(text)
		var all []string
		for range n {
			one, err := answer(r)
			if err != nil {
				return "", err
			}
			all = append(all, one)
		}
		return strings.Join(all, "\n"), nil
	case '$':
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return "", err
		}
		b := make([]byte, n+2)
		for read := 0; read < len(b); {
			k, err := r.Read(b[read:])
			if err != nil {
				return "", err
			}
			read += k
		}
		return string(b[:n]), nil
	}
	return text, nil
}

// Must is Do for a command that can't fail.
func (s *Server) Must(args ...string) string {
	s.tb.Helper()
	out, err := s.Do(args...)
	if err != nil {
		s.tb.Fatalf("%s at %s: %v", args[0], s.Addr, err)
	}
	return out
}

// Info returns a field of INFO.
func (s *Server) Info(section, field string) string {
	s.tb.Helper()
	for line := range strings.Lines(s.Must("INFO", section)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return value
		}
	}
	return ""
}

// Wait polls until done, and fails the test if it takes too long.
func Wait(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func write(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}
