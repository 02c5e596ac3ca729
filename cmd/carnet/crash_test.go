//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/token"
)

// A patient is a directory with a ring, and a verb that is done to it.
type patient struct {
	dir    string
	args   []string
	key    *kek.Key
	tokens map[string]string // by key id
	doomed string            // the key that the verb takes away; may be empty
	before uint64            // generation; zero if there is no ring yet
}

var verbs = []string{"init", "rotate", "revoke", "prune", "rewrap"}

func (p *patient) path(name string) string { return filepath.Join(p.dir, name) }

// newPatient makes a ring with a key in each state but revoked, and a token of each
// that may have one.
func newPatient(t *testing.T, verb string) *patient {
	t.Helper()
	p := &patient{dir: t.TempDir(), tokens: map[string]string{}}
	text := kek.Generate()
	err := os.WriteFile(p.path("key"), []byte(text), 0o600)
	if err == nil {
		p.key, err = kek.Parse(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.args = []string{verb, p.path("ring.json")}
	if verb == "init" {
		return p
	}
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	p.mint(t, set)
	if set, err = set.Rotate("", true); err == nil {
		p.mint(t, set)
		err = p.source().Create(t.Context(), set)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.before = set.Generation()
	retired := set.Keys()[0].ID
	switch verb {
	case "rotate":
		p.args = append(p.args, "--force")
	case "revoke":
		p.args, p.doomed = append(p.args, "--", retired), retired
	case "prune":
		p.args, p.doomed = append(p.args, "--force", "--", retired), retired
	case "rewrap":
		p.args = append(p.args, "--key-file", p.path("new"))
	}
	return p
}

func (p *patient) source() keys.Source { return keys.Source{Path: p.path("ring.json"), Key: p.key} }

func (p *patient) mint(t *testing.T, set *keys.Set) {
	t.Helper()
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	tok, err := ring.Seal(token.Claims{
		Binding: token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		ID:      "AAAAAAAAAAAAAAAAAAAAAA", SessionID: "BBBBBBBBBBBBBBBBBBBBBB", Subject: "alice",
		StartedAt: now, IssuedAt: now, ExpiresAt: now.Add(time.Hour), EndsAt: now.Add(time.Hour), Raw: `{}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.tokens[inState(set, "active").ID] = tok
}

// run does the verb under strace and returns its exit code, -1 if it was killed.
func (p *patient) run(t *testing.T, args ...string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "strace", append(append(append([]string{"-f", "-qq"}, args...), "carnet-in-one-thread"), p.args...)...)
	cmd.Env = append(os.Environ(), "CARNET_RING_KEY_FILE="+p.path("key"), "GOCOVERDIR="+p.dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v: it hangs", args)
	}
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if s := stderr.String(); strings.Contains(s, "panic:") || strings.Contains(s, "DATA RACE") {
		t.Errorf("%v: %s", args, s)
	}
	return cmd.ProcessState.ExitCode()
}

// survives checks that the ring is the old one or the new one, whole, and that the
// next edit finds nothing in its way.
func (p *patient) survives(t *testing.T, what string, code int) {
	t.Helper()
	src, set := p.source(), (*keys.Set)(nil)
	for _, key := range p.keysToTry() {
		src.Key = key
		var err error
		if set, err = src.Load(t.Context()); err == nil {
			break
		} else if p.before == 0 && errors.Is(err, fs.ErrNotExist) && code != 0 {
			p.starts(t, what)
			return
		} else if !errors.Is(err, kek.ErrWrongKey) {
			t.Errorf("%s: %v", what, err)
			return
		}
	}
	done := set != nil && set.Generation() == p.before+1
	if !done && (set == nil || set.Generation() != p.before || code == 0) {
		t.Errorf("%s: after exit code %d the ring is %v", what, code, set)
		return
	}
	p.opens(t, what, set, done)
	if _, err := src.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Rotate("", true) }); err != nil {
		t.Errorf("%s: the next edit: %v", what, err)
	}
	if left, _ := filepath.Glob(p.path("ring.json.*.tmp")); left != nil {
		t.Errorf("%s: %v is left after the next edit", what, left)
	}
}

// keysToTry are the old one and, if there is one, the new one.
func (p *patient) keysToTry() []*kek.Key {
	text, err := os.ReadFile(p.path("new"))
	if err != nil {
		return []*kek.Key{p.key}
	}
	k, err := kek.Parse(string(text))
	if err != nil {
		return []*kek.Key{p.key}
	}
	return []*kek.Key{p.key, k}
}

// starts makes the ring that was not there yet.
func (p *patient) starts(t *testing.T, what string) {
	t.Helper()
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err == nil {
		err = p.source().Create(t.Context(), set)
	}
	if err != nil {
		t.Errorf("%s: no ring can be made any more: %v", what, err)
	}
}

func (p *patient) opens(t *testing.T, what string, set *keys.Set, done bool) {
	t.Helper()
	ring, err := set.Ring()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	binding := token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"}
	for kid, tok := range p.tokens {
		_, err := ring.Open(tok, binding)
		if gone := done && kid == p.doomed; gone != (err != nil) {
			t.Errorf("%s: a token of key %s: %v", what, kid, err)
		}
	}
}

// calls returns how often a thread makes each system call that is about a file or a
// descriptor, at most. What is on disk changes at no other, so a kill at another
// leaves what a kill at the next of these leaves.
func calls(t *testing.T, verb string) map[string]int {
	t.Helper()
	p := newPatient(t, verb)
	trace := p.path("trace")
	if code := p.run(t, "-o", trace, "-e", "trace=%file,%desc"); code != 0 {
		t.Fatalf("%s by itself: exit code %d", verb, code)
	}
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line := regexp.MustCompile(`^(\d+) +(\w+)\(`)
	perThread, most := map[string]int{}, map[string]int{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if m := line.FindStringSubmatch(s.Text()); m != nil && m[2] != "execve" && m[2] != "exit_group" {
			perThread[m[1]+m[2]]++
			most[m[2]] = max(most[m[2]], perThread[m[1]+m[2]])
		}
	}
	return most
}

// sampled are the calls that change something.
var sampled = map[string]bool{"write": true, "fsync": true, "renameat": true, "flock": true, "unlinkat": true}

// TestSurvivesKillAtEverySystemCall kills each verb at the n-th call of each kind,
// until it ends by itself. The calls on the lock file are made by another thread.
func TestSurvivesKillAtEverySystemCall(t *testing.T) {
	t.Parallel()
	for _, verb := range verbs {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			killed := 0
			kill := func(call string, n int, filter ...string) (ended bool) {
				p := newPatient(t, verb)
				for i, f := range filter {
					filter[i] = strings.ReplaceAll(f, "RING", p.path("ring.json"))
				}
				code := p.run(t, append(filter, "-o", os.DevNull, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n))...)
				p.survives(t, fmt.Sprintf("killed at %s %d", call, n), code)
				if code != 0 {
					killed++
				}
				return code == 0
			}
			for call, count := range calls(t, verb) {
				if !*every && !sampled[call] {
					continue
				}
				for n := 1; n <= count+2; n++ {
					if (*every || n%3 == 1) && kill(call, n) {
						break
					}
				}
			}
			for _, call := range []string{"openat", "flock", "fstat", "newfstatat", "close"} {
				if *every {
					kill(call, 1, "-P", "RING.lock")
				}
			}
			t.Logf("killed %d times", killed)
			if killed < 4 {
				t.Errorf("killed %d times only", killed)
			}
		})
	}
}

// TestSurvivesADiskThatFails lets each write, sync and rename fail, once or from
// then on.
func TestSurvivesADiskThatFails(t *testing.T) {
	t.Parallel()
	for _, verb := range verbs {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			tried, failed, count := 0, 0, calls(t, verb)
			for _, call := range []string{"write", "fsync", "renameat", "openat"} {
				for n := 1; n <= count[call]; n++ {
					for _, what := range []string{"ENOSPC:when=%d", "EIO:when=%d", "ENOSPC:when=%d+", "EIO:when=%d+"} {
						if tried++; !*every && tried%12 != 0 {
							continue
						}
						p := newPatient(t, verb)
						fault := fmt.Sprintf("inject=%s:error="+what, call, n)
						code := p.run(t, "-o", os.DevNull, "-e", "trace="+call, "-e", fault)
						p.survives(t, fault, code)
						if code != 0 {
							failed++
						}
					}
				}
			}
			t.Logf("%d faults, of which %d failed the verb", tried, failed)
		})
	}
}
