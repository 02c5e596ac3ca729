package soak

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
)

// descriptors returns how many files this process has open.
func descriptors(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestOutagesLeaveNothingBehind(t *testing.T) {
	s := redistest.Start(t)
	p := redistest.NewProxy(t, s.Addr)
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	c := redis.NewClient(options(p.Addr))
	l := redislist.Config{Log: quiet}.New(c, "soak:")
	ready(t, l)
	confirmed, mostG, mostF := 0, 0, 0
	for i := range size(20, 1000) {
		switch i % 2 {
		case 0:
			p.Cut()
		case 1:
			p.Freeze()
		}
		time.Sleep(50 * time.Millisecond)
		p.Heal()
		if l.Revoke(t.Context(), revocation.Session(login())) == nil {
			confirmed++
		}
		mostG, mostF = max(mostG, runtime.NumGoroutine()), max(mostF, descriptors(t))
		time.Sleep(50 * time.Millisecond)
	}
	waitFor(t, "a fresh copy", func() bool { return l.Age() < 4*time.Second })
	start := time.Now()
	l.Close()
	took := time.Since(start)
	c.Close()
	waitFor(t, "goroutines and files to be gone", func() bool {
		return runtime.NumGoroutine() <= goroutines && descriptors(t) <= files
	})
	t.Logf("%d outages, %d revocations confirmed; at most %d goroutines and %d files, %d and %d at the start, %d and %d at the end; Close took %v",
		size(20, 1000), confirmed, mostG, mostF, goroutines, files, runtime.NumGoroutine(), descriptors(t), took)
}
