// Package latesttest has the tests that every [latest.Store] must pass.
package latesttest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw/latest"
)

// TestStore tests stores that open returns, each empty.
func TestStore(t *testing.T, open func(t *testing.T) latest.Store) {
	t.Run("revisions only rise", func(t *testing.T) {
		s, until := open(t), time.Now().Add(time.Hour)
		for i, tt := range []struct {
			session  string
			revision int64
			want     bool
		}{
			{"a", 0, true}, {"a", 0, true}, {"a", 3, true}, {"a", 2, false}, {"a", 0, false}, {"a", 3, true},
			{"b", 1, true}, {"a", 4, true}, {"a", 3, false}, {"b", 0, false}, {"b", 9, true},
			{"big", 1<<53 - 1, true}, {"big", 1<<53 - 2, false},
		} {
			if got, err := s.Advance(t.Context(), tt.session, tt.revision, until); got != tt.want || err != nil {
				t.Errorf("step %d: %v, %v, want %v", i, got, err, tt.want)
			}
		}
	})
	t.Run("one step", func(t *testing.T) {
		// Each revision is shown twice at once, the next only then: whoever comes
		// with an older one is too late.
		s, until := open(t), time.Now().Add(time.Hour)
		for revision := int64(1); revision <= 20; revision++ {
			var passed atomic.Int32
			var wg sync.WaitGroup
			for _, r := range []int64{revision, revision, revision - 1} {
				wg.Go(func() {
					if ok, err := s.Advance(t.Context(), "a", r, until); err != nil {
						t.Error(err)
					} else if ok && r == revision {
						passed.Add(1)
					}
				})
			}
			wg.Wait()
			if n := passed.Load(); n != 2 {
				t.Fatalf("revision %d passed %d times", revision, n)
			}
			if ok, err := s.Advance(t.Context(), "a", revision-1, until); ok || err != nil {
				t.Fatalf("revision %d after %d: %v, %v", revision-1, revision, ok, err)
			}
		}
	})
	t.Run("a time that has passed", func(t *testing.T) {
		s := open(t)
		for _, revision := range []int64{2, 1} {
			if ok, err := s.Advance(t.Context(), "a", revision, time.Now().Add(-time.Minute)); err != nil || revision == 2 && !ok {
				t.Errorf("revision %d: %v, %v", revision, ok, err)
			}
		}
	})
}
