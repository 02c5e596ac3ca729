package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carnet-go/carnet/internal/redistest"
)

// A terminal is a real one, with a command on it.
type terminal struct {
	user *os.File // what a person has: screen and keyboard
	cmd  *exec.Cmd

	mu     sync.Mutex
	screen bytes.Buffer
	ended  chan struct{} // the screen is closed
}

func newTerminal(t *testing.T, dir string, command ...string) *terminal {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { user.Close() })
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	device, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	term := &terminal{user: user, cmd: exec.Command(command[0], command[1:]...), ended: make(chan struct{})}
	term.cmd.Dir, term.cmd.Env = dir, append(os.Environ(), "CARNET_RING=")
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = device, device, device
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go term.watch()
	return term
}

func (term *terminal) watch() {
	defer close(term.ended)
	for b := make([]byte, 4096); ; {
		n, err := term.user.Read(b)
		term.mu.Lock()
		term.screen.Write(b[:n])
		term.mu.Unlock()
		if err != nil {
			return // EIO, once the command has ended
		}
	}
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

// echoes reports whether the terminal shows what is typed.
func (term *terminal) echoes(t *testing.T) bool {
	state, err := unix.IoctlGetTermios(int(term.user.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// answer types a secret once it is asked for, and the terminal does not show it.
func (term *terminal) answer(t *testing.T, prompt, secret string) {
	t.Helper()
	redistest.Wait(t, prompt, func() bool { return strings.HasSuffix(term.text(), prompt) && !term.echoes(t) })
	if _, err := term.user.WriteString(secret + "\n"); err != nil {
		t.Fatal(err)
	}
}

// end returns the exit code and all that was on the screen.
func (term *terminal) end(t *testing.T) (int, string) {
	t.Helper()
	exit := new(exec.ExitError)
	if err := term.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	select {
	case <-term.ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the terminal stays open")
	}
	return term.cmd.ProcessState.ExitCode(), term.text()
}

// TestPassphraseOnATerminal has a ring sealed and opened by somebody who types.
func TestPassphraseOnATerminal(t *testing.T) {
	const right, wrong = "correct horse battery", "correct horse staple"
	dir := t.TempDir()
	shared := "redis://" + redistest.Start(t).Addr + "?prefix=web"
	for _, c := range []struct {
		verb    []string
		answers [][2]string // prompt, what is typed
		code    int
		want    string
	}{
		{[]string{"carnet", "init", "ring.json"}, [][2]string{{"new passphrase of the ring: ", right}, {"the same again: ", wrong}}, 1, "the two passphrases differ"},
		{[]string{"carnet", "init", "ring.json"}, [][2]string{{"new passphrase of the ring: ", "short"}, {"the same again: ", "short"}}, 1, "a passphrase has at least 12 characters"},
		{[]string{"carnet", "init", "ring.json"}, [][2]string{{"new passphrase of the ring: ", right}, {"the same again: ", right}}, 0, "ring.json is at generation 1:"},
		{[]string{"carnet", "list", "ring.json"}, [][2]string{{"passphrase of ring.json: ", wrong}}, 1, "sealed under another key"},
		{[]string{"carnet", "rotate", "ring.json", "--force"}, [][2]string{{"passphrase of ring.json: ", right}}, 0, "ring.json is at generation 2:"},
		{[]string{"carnet", "rewrap", "ring.json"}, [][2]string{{"passphrase of ring.json: ", right}, {"new passphrase of the ring: ", wrong}, {"the same again: ", wrong}}, 0, "ring.json is at generation 3:"},
		{[]string{"carnet", "list", "ring.json"}, [][2]string{{"passphrase of ring.json: ", wrong}}, 0, "ring.json is at generation 3"},
		{[]string{"carnet", "init", shared}, [][2]string{{"new passphrase of the ring: ", right}, {"the same again: ", right}}, 0, "is at generation 1:"},
		{[]string{"carnet", "list", shared}, [][2]string{{"passphrase of " + shared + ": ", right}}, 0, "is at generation 1"},
	} {
		term := newTerminal(t, dir, c.verb...)
		for _, a := range c.answers {
			term.answer(t, a[0], a[1])
		}
		code, screen := term.end(t)
		if code != c.code || !strings.Contains(screen, c.want) {
			t.Fatalf("%v: exit code %d:\n%s", c.verb, code, screen)
		}
		for _, a := range c.answers {
			if strings.Contains(screen, a[1]) {
				t.Errorf("%v: what was typed is on the screen:\n%s", c.verb, screen)
			}
		}
		if !term.echoes(t) {
			t.Errorf("%v leaves a terminal that shows nothing", c.verb)
		}
	}
}
