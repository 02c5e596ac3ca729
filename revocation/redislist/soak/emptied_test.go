package soak

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// A notice is a log handler that knows when the list said that marks are lost.
type notice struct {
	mu   sync.Mutex
	when time.Time
}

func (n *notice) Enabled(context.Context, slog.Level) bool { return true }
func (n *notice) WithAttrs([]slog.Attr) slog.Handler       { return n }
func (n *notice) WithGroup(string) slog.Handler            { return n }

func (n *notice) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "lost") || strings.Contains(r.Message, "whole log") {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.when.IsZero() {
			n.when = r.Time
		}
	}
	return nil
}

func (n *notice) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.when = time.Time{}
}

func (n *notice) after(start time.Time) (time.Duration, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.when.Sub(start), !n.when.IsZero()
}

const (
	headKey = "{soak:}revoked:head"
	logKey  = "{soak:}revoked:log"
)

// fill revokes that many sessions on the lists in turn, and returns every step-th.
func fill(t testing.TB, lists []*redislist.List, n, step int) (some []token.Claims) {
	t.Helper()
	const each = 2000
	for done := 0; done < n; {
		marks := make([]revocation.Mark, min(each, n-done))
		for i := range marks {
			c := login()
			if marks[i] = revocation.Session(c); (done+i)%step == 0 {
				some = append(some, c)
			}
		}
		if err := lists[done/each%len(lists)].Revoke(t.Context(), marks...); err != nil {
			t.Fatal(err)
		}
		done += len(marks)
	}
	return some
}

func TestAnEmptiedRedisIsFilledAgain(t *testing.T) {
	for name, empty := range map[string]func(t *testing.T, s *redistest.Server){
		"FLUSHALL": func(t *testing.T, s *redistest.Server) { s.Must("FLUSHALL") },
		"a restart without data": func(t *testing.T, s *redistest.Server) {
			s.Kill()
			s.Start()
		},
		"the head is evicted": func(t *testing.T, s *redistest.Server) { s.Must("DEL", headKey) },
		"it evicts":           evict,
	} {
		t.Run(name, func(t *testing.T) { emptied(t, empty) })
	}
}

// evict has Redis evict keys at random until one of the list's is gone.
func evict(t *testing.T, s *redistest.Server) {
	used, _ := strconv.Atoi(s.Info("memory", "used_memory"))
	s.Must("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
	s.Must("CONFIG", "SET", "maxmemory", strconv.Itoa(used+1<<20))
	for i := 0; s.Must("EXISTS", headKey, logKey) == "2"; i++ {
		s.Must("SET", fmt.Sprint("other", i), strings.Repeat("x", 30_000))
	}
	s.Must("CONFIG", "SET", "maxmemory", "0")
}

func emptied(t *testing.T, empty func(t *testing.T, s *redistest.Server)) {
	s := redistest.Start(t)
	n := size(20_000, 200_000)
	var lists []*redislist.List
	var notices []*notice
	for range 3 {
		notices = append(notices, &notice{})
		lists = append(lists, open(t, connect(t, s.Addr), redislist.Config{Log: slog.New(notices[len(notices)-1])}))
	}
	ready(t, lists...)
	revoked := fill(t, lists, n, 40)
	for _, l := range lists {
		waitFor(t, "all marks", func() bool { return l.Len() == n })
	}
	for _, x := range notices {
		x.reset()
	}

	start := time.Now()
	empty(t, s)
	gone := time.Now()
	var accepting atomic.Int64
	watching, stop := context.WithCancel(t.Context())
	var watchers sync.WaitGroup
	watch := func(l *redislist.List) {
		watchers.Go(func() {
			for watching.Err() == nil {
				for _, c := range revoked[:min(500, len(revoked))] {
					if l.Check(watching, c) == nil {
						accepting.Add(1)
					}
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	for _, l := range lists {
		watch(l)
	}
	time.Sleep(300 * time.Millisecond)
	late := open(t, connect(t, s.Addr), redislist.Config{Log: quiet})
	watch(late)
	waitFor(t, "the marks to be in Redis", func() bool { return entries(s) >= n })
	back := time.Since(gone)
	ready(t, late)
	if missing := accepted(late, revoked); missing > 0 || late.Len() != n {
		t.Errorf("a node that started meanwhile calls itself complete with %d marks of %d, and accepts %d of %d", late.Len(), n, missing, len(revoked))
	}
	stop()
	watchers.Wait()
	var noticed time.Duration
	for _, x := range notices {
		d, ok := x.after(start)
		if !ok {
			t.Error("a node noticed nothing")
		}
		noticed = max(noticed, d)
	}
	t.Logf("%d marks: noticed by all after %v, back after %v, %.3f copies of each, a node that started meanwhile complete after %v",
		n, noticed, back, float64(entries(s))/float64(n), time.Since(gone))
	if accepting.Load() > 0 {
		t.Errorf("%d revoked sessions were accepted meanwhile", accepting.Load())
	}
	if entries(s) > n+n/5 {
		t.Errorf("%d entries for %d marks", entries(s), n)
	}
}

// entries returns how many the log has.
func entries(s *redistest.Server) int {
	out, _ := s.Do("HGET", headKey, "m")
	n, _ := strconv.Atoi(out)
	return n
}
