//go:build linux

package filelist_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/filelist"
)

var every = flag.Bool("every", false, "try every system call of every kind, not a sample")

// In a process of its own the test binary writes to a denylist.
const pathOfChild = "FILELIST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(pathOfChild); path != "" {
		// strace counts the calls of each thread.
		runtime.LockOSThread()
		write(path)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// bulk is so large that writing it three times makes for a rewrite.
func bulk() (marks []revocation.Mark) {
	until := time.Now().Add(time.Hour)
	for i := range 620 {
		marks = append(marks, revocation.Mark{Axis: "session", Value: fmt.Sprintf("%0250d", i), Until: until,
			Reason: strings.Repeat("r", 200), By: strings.Repeat("b", 200)})
	}
	return marks
}

// write does all that a list does to its file, twice, and prints what was
// acknowledged.
func write(path string) {
	for life := range 2 {
		l, err := filelist.Open(path, 0)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		deny := func(id string, marks ...revocation.Mark) {
			if l.Revoke(context.Background(), append(marks, revocation.Session(claims(id)))...) == nil {
				fmt.Println("denied", id)
			}
		}
		deny(fmt.Sprint("first-", life))
		deny("undone")
		deny(fmt.Sprint("bulk-", life), bulk()...)
		deny(fmt.Sprint("bulk-", life), bulk()...)
		deny(fmt.Sprint("bulk-", life), bulk()...)
		deny(fmt.Sprint("after-", life))
		fmt.Println("allowing undone")
		if l.Allow(context.Background(), revocation.Mark{Axis: "session", Value: "undone"}) == nil {
			fmt.Println("allowed undone")
		}
		deny(fmt.Sprint("last-", life))
		l.Close()
	}
}

// A fault is what strace does to the count-th call of a thread.
type fault struct {
	call  string
	what  string
	count int
}

// child runs write under strace and returns what it printed, and whether it came
// to its end.
func child(t *testing.T, path string, args ...string) (out string, ended bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "strace", append(append([]string{"-f", "-qq"}, args...), os.Args[0])...)
	// One that was killed must not spoil the profile of this one.
	cmd.Env = append(os.Environ(), pathOfChild+"="+path, "GOCOVERDIR="+t.TempDir())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v: it hangs", args)
	}
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if strings.Contains(stderr.String(), "panic:") || strings.Contains(stderr.String(), "DATA RACE") {
		t.Errorf("%v: %s", args, stderr.String())
	}
	return stdout.String(), err == nil
}

// calls returns how often a thread makes each system call about files.
func calls(t *testing.T) map[string]int {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	if _, ended := child(t, newPath(t), "-o", trace, "-e", "trace=%file,%desc"); !ended {
		t.Fatal("it does not run by itself")
	}
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line := regexp.MustCompile(`^(\d+) +(\w+)\(`)
	perThread, most := map[string]int{}, map[string]int{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if m := line.FindStringSubmatch(s.Text()); m != nil {
			perThread[m[1]+m[2]]++
			most[m[2]] = max(most[m[2]], perThread[m[1]+m[2]])
		}
	}
	return most
}

// survives checks that what the child acknowledged is in the file.
func survives(t *testing.T, f fault, path, out string) {
	t.Helper()
	l, err := filelist.Open(path, 0)
	if err != nil {
		t.Errorf("%v: %v", f, err)
		return
	}
	defer closed(t, l)
	for line := range strings.Lines(out) {
		verb, id, whole := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if whole && verb == "denied" && id != "undone" && !revoked(t, l, id) {
			t.Errorf("%v: %s was acknowledged and is lost", f, id)
		}
	}
	// The last thing said of it, unless something was begun after that.
	if i := strings.LastIndex(out, " undone\n"); i >= 0 {
		said := out[strings.LastIndex(out[:i], "\n")+1 : i]
		if said == "denied" && !revoked(t, l, "undone") || said == "allowed" && !strings.Contains(out[i:], "bulk-1") && !strings.Contains(out[i:], "first-1") && revoked(t, l, "undone") {
			t.Errorf("%v: undone was %s, and is not", f, said)
		}
	}
	revoke(t, l, "after the fault")
}

func TestSurvivesKillAtEverySystemCall(t *testing.T) {
	t.Parallel()
	tried := 0
	for call, count := range calls(t) {
		if !*every && !slices.Contains([]string{"write", "fsync", "openat", "renameat", "flock", "ftruncate"}, call) {
			continue
		}
		for n := 1; n <= count; n++ {
			if !*every && n%9 != 1 {
				continue
			}
			f, path := fault{call, "SIGKILL", n}, newPath(t)
			out, ended := child(t, path, "-o", os.DevNull, "-e", "trace="+call, "-e", "inject="+call+":signal=SIGKILL:when="+strconv.Itoa(n))
			if tried++; ended {
				break // another thread made that call last time
			}
			survives(t, f, path, out)
		}
	}
	t.Logf("killed %d times", tried)
	if tried < 10 {
		t.Errorf("killed %d times only", tried)
	}
}

func TestSurvivesADiskThatFails(t *testing.T) {
	t.Parallel()
	tried, count := 0, calls(t)
	for _, call := range []string{"write", "fsync", "openat", "renameat", "ftruncate", "fstat", "lseek", "unlinkat"} {
		for n := 1; n <= count[call]; n++ {
			for _, what := range []string{"ENOSPC:when=%d", "EIO:when=%d", "ENOSPC:when=%d+", "EIO:when=%d+"} { // + is from then on
				if tried++; !*every && tried%40 != 0 {
					continue
				}
				f, path := fault{call, what, n}, newPath(t)
				out, _ := child(t, path, "-o", os.DevNull, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:error="+what, call, n))
				survives(t, f, path, out)
			}
		}
	}
	t.Logf("of %d faults", tried)
}
