package soak

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/revocation/redislist"
)

// commands returns how many commands Redis has run, without those that ask.
func commands(s *redistest.Server) (n int) {
	for line := range strings.Lines(s.Must("INFO", "commandstats")) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ":calls=")
		calls, _, _ := strings.Cut(rest, ",")
		if name != "cmdstat_info" {
			k, _ := strconv.Atoi(calls)
			n += k
		}
	}
	return n
}

// Requests with good, revoked and forged tokens. The list is closed first, so that
// no heartbeat is among the commands: what a request asks for is the same.
func TestRequestsAskNothingOfRedis(t *testing.T) {
	s := redistest.Start(t)
	issuer := newIssuer(t)
	l := open(t, connect(t, s.Addr), redislist.Config{Bound: time.Hour})
	ready(t, l)
	good, _, err := issuer.Issue("alice", "data")
	if err != nil {
		t.Fatal(err)
	}
	revoked, session, err := issuer.Issue("alice", "data")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Revoke(t.Context(), revocation.Session(session.Claims), revocation.Key("another", time.Now().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	l.Close()
	forged := good[:len(good)-8] + "AAAAAAAA"
	h := chimw.New(issuer, chimw.Config{Revocation: l}).Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	want := map[string]int{good: 200, revoked: 401, forged: 401}
	before := commands(s)
	n := size(3000, 1_000_000)
	for i := range n {
		tok := [...]string{good, revoked, forged}[i%3]
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "__Host-session", Value: tok})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want[tok] {
			t.Fatalf("request %d: %d, want %d", i, w.Code, want[tok])
		}
	}
	delta := commands(s) - before
	t.Logf("%d requests, %d commands", n, delta)
	if delta != 0 {
		t.Errorf("%d requests caused %d commands", n, delta)
	}
}

// cpu returns the processor time of this thread.
func cpu() time.Duration {
	var u syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	syscall.Getrusage(thread, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perCheck returns the processor time of a check, the best of some rounds: the
// machine has others to serve.
func perCheck(l *redislist.List) (best time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all := make([]func() error, 4096)
	for i := range all {
		c := login()
		c.Subject = newID()
		all[i] = func() error { _, err := l.Look(c); return err }
	}
	best = time.Hour
	for range 20 {
		start := cpu()
		for i := range 20 * len(all) {
			if all[i%len(all)]() != nil {
				panic("a session that nobody revoked is refused")
			}
		}
		best = min(best, (cpu()-start)/time.Duration(20*len(all)))
	}
	return best
}

func serverCPU(s *redistest.Server) time.Duration {
	var sum float64
	for _, field := range []string{"used_cpu_user", "used_cpu_sys"} {
		v, _ := strconv.ParseFloat(s.Info("cpu", field), 64)
		sum += v
	}
	return time.Duration(sum * float64(time.Second))
}

func TestSizeAndSpeed(t *testing.T) {
	sizes := []int{20_000}
	if *full {
		sizes = []int{1_000_000, 10_000_000}
	}
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) { measure(t, n) })
	}
}

func measure(t *testing.T, n int) {
	s := redistest.Start(t)
	client := connect(t, s.Addr)
	first := open(t, client, redislist.Config{})
	ready(t, first)
	until := time.Now().Add(12 * time.Hour)
	for _, a := range []revocation.Axis{"subject", "audience", "key"} {
		m := revocation.Mark{Axis: a, Value: "a value of " + string(a), Until: until}
		if err := first.Revoke(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	everyone := revocation.Everyone(0)
	everyone.At = time.Now().Add(-24 * time.Hour)
	if err := first.Revoke(t.Context(), everyone); err != nil {
		t.Fatal(err)
	}
	fill(t, []*redislist.List{first}, n, n)
	first.Close()
	used := s.Must("MEMORY", "USAGE", logKey, "SAMPLES", "0")
	inRedis, _ := strconv.ParseFloat(used, 64)

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ran := serverCPU(s)
	start := time.Now()
	second := open(t, client, redislist.Config{Log: quiet})
	ready(t, second)
	loaded, ran := time.Since(start), serverCPU(s)-ran
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d marks: loaded in %v with %v of Redis's processor time; %.1f bytes a mark here, %.1f in Redis; a check takes %v",
		n, loaded, ran, float64(after.HeapAlloc-before.HeapAlloc)/float64(n), inRedis/float64(n), perCheck(second))
	if got := second.Len(); got != n+4 {
		t.Errorf("%d marks of %d are there", got, n+4)
	}
	if b := inRedis / float64(n); b > 20 {
		t.Errorf("%.1f bytes a mark in Redis", b)
	}
	runtime.KeepAlive(second)
}

func TestANodeStartsWithoutRedis(t *testing.T) {
	s := redistest.New(t)
	start := time.Now()
	l := open(t, connect(t, s.Addr), redislist.Config{})
	err := l.Check(t.Context(), login())
	took := time.Since(start)
	t.Logf("started after %v: %v", took, err)
	if l.Age() != freshness.Never || err == nil {
		t.Errorf("a copy that has never been complete is %v old, and lets sessions pass", l.Age())
	}
	s.Start()
	ready(t, l)
}
