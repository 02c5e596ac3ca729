package redistest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// shift has a program see a wall clock that is off. It calls the kernel itself, as
// the memory allocator of Redis asks for the time before anything can be looked up.
const shift = `
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *t) {
	int r = syscall(SYS_clock_gettime, id, t);
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) t->tv_sec += OFF;
	return r;
}
int gettimeofday(struct timeval *restrict v, void *restrict z) {
	struct timespec t;
	int r = clock_gettime(CLOCK_REALTIME, &t);
	v->tv_sec = t.tv_sec;
	v->tv_usec = t.tv_nsec / 1000;
	return r;
}
time_t time(time_t *p) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	if (p) *p = t.tv_sec;
	return t.tv_sec;
}
`

// Skewed is Start for a server whose clock is off by that much. It needs a C
// compiler, as the race detector does.
func Skewed(tb testing.TB, off time.Duration, args ...string) *Server {
	tb.Helper()
	dir := tb.TempDir()
	library := filepath.Join(dir, "shift.so")
	source := write(tb, dir, "shift.c", shift)
	off = off.Truncate(time.Second)
	cmd := exec.Command("gcc", "-shared", "-fPIC", fmt.Sprintf("-DOFF=(%d)", int(off.Seconds())), "-o", library, source)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("gcc: %v\n%s", err, out)
	}
	s := New(tb, args...)
	s.env = []string{"LD_PRELOAD=" + library}
	s.Start()
	return s
}
