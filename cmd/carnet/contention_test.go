package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/audit"
	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/keys/keystore"
)

// rotateOften RING TIMES is what each of the processes does. It keeps few keys, so
// that a reader can load the ring often, and prints how often it won.
func rotateOften() {
	p, err := locate(os.Args[1])
	times, err2 := strconv.Atoi(os.Args[2])
	won, lost := 0, 0
	for err = errors.Join(err, err2); err == nil && won+lost < times; {
		_, err = p.Edit(context.Background(), rotateAndPrune)
		if errors.Is(err, keystore.ErrConflict) {
			lost, err = lost+1, nil
		} else if err == nil {
			won++
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(won, lost)
}

func rotateAndPrune(s *keys.Set) (*keys.Set, error) {
	s, err := s.Rotate("", true)
	if err == nil && len(s.Keys()) > 4 {
		s, err = s.Prune(true, s.Keys()[0].ID)
	}
	return s, err
}

// onEachStore runs a test with a place for a ring that is not there yet. A key file
// is in the environment.
func onEachStore(t *testing.T, test func(t *testing.T, ring string)) {
	text := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(text, []byte(kek.Generate()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CARNET_RING_KEY_FILE", text)
	t.Run("file", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "ring.json")) })
	t.Run("redis", func(t *testing.T) { test(t, "redis://"+redistest.Start(t).Addr+"?prefix=web") })
}

func TestManyProcessesRotateOneRing(t *testing.T) {
	times := 5
	if *every {
		times = 50
	}
	onEachStore(t, func(t *testing.T, ring string) {
		if out, err := exec.Command("carnet", "init", ring).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		p, err := locate(ring)
		if err != nil {
			t.Fatal(err)
		}
		r := read(t, p)
		var writers sync.WaitGroup
		var won, lost atomic.Int64
		for range 8 {
			writers.Go(func() {
				var w, l int64
				out, err := exec.Command("nice", "-n", "19", "carnet-rotates", ring, strconv.Itoa(times)).CombinedOutput() // the reader comes first
				if _, err2 := fmt.Sscan(string(out), &w, &l); err != nil || err2 != nil {
					t.Errorf("a process: %v: %s", err, out)
				}
				won.Add(w)
				lost.Add(l)
			})
		}
		writers.Wait()
		t.Logf("%d won and %d lost; %s", won.Load(), lost.Load(), r.end())
		if won.Load()+lost.Load() != int64(8*times) {
			t.Errorf("%d won and %d lost, of %d", won.Load(), lost.Load(), 8*times)
		}
		tellTale(t, p, won.Load())
	})
}

// A reader loads the ring a thousand times a second, in turns of several nodes, and
// sees whether each load is whole.
type reader struct {
	testing.TB
	began time.Time
	stop  chan struct{}
	ended sync.WaitGroup
	loads atomic.Int64
	rings sync.Map // generations that it has seen
}

func read(t testing.TB, p place) *reader {
	t.Helper()
	r := &reader{TB: t, began: time.Now(), stop: make(chan struct{})}
	for range 4 {
		ring, err := p.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.ended.Go(func() {
			defer ring.Close()
			r.run(ring)
		})
	}
	return r
}

// run makes up for loads that came late.
func (r *reader) run(ring *keys.Ring) {
	for {
		select {
		case <-r.stop:
			return
		default:
		}
		if r.loads.Load() >= int64(time.Since(r.began)/time.Millisecond) {
			time.Sleep(time.Millisecond)
			continue
		}
		err := ring.Reload()
		set := ring.Set()
		if err != nil || !oneOfEach(set) {
			r.Errorf("a reader got %v: %v", set, err)
			return
		}
		r.loads.Add(1)
		r.rings.Store(set.Generation(), true)
	}
}

// end says what it saw.
func (r *reader) end() string {
	took := time.Since(r.began)
	close(r.stop)
	r.ended.Wait()
	seen := 0
	r.rings.Range(func(any, any) bool { seen++; return true })
	return fmt.Sprintf("%d loads, %.0f a second, of %d generations", r.loads.Load(), float64(r.loads.Load())/took.Seconds(), seen)
}

func oneOfEach(s *keys.Set) bool {
	count, ids := map[string]int{}, map[string]bool{}
	for _, k := range s.Keys() {
		count[k.State]++
		ids[k.ID] = true
	}
	return count["active"] == 1 && count["pre-published"] == 1 && len(ids) == len(s.Keys())
}

// tellTale finds in the record whether each rotation built on the one before: what
// one has made, the next makes active.
func tellTale(t *testing.T, p place, won int64) {
	t.Helper()
	set, err := p.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	record := set.Record()
	if err := audit.Check(record, set.Generation()); err != nil {
		t.Error(err)
	}
	made, rotations := record[0].Keys[1], int64(0)
	for _, e := range record {
		if e.Action != "rotate" {
			continue
		}
		if rotations++; e.Keys[1] != made {
			t.Errorf("generation %d made %s active, and %s was pre-published", e.Generation, e.Keys[1], made)
		}
		made = e.Keys[2]
	}
	if rotations != won {
		t.Errorf("%d rotations are recorded, and %d processes were told that they won", rotations, won)
	}
}

func TestManyProcessesInitOneRing(t *testing.T) {
	n := 10
	if *every {
		n = 50
	}
	onEachStore(t, func(t *testing.T, ring string) {
		var won atomic.Int64
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				var stderr bytes.Buffer
				cmd := exec.Command("carnet", "init", ring)
				cmd.Stderr = &stderr
				if err := cmd.Run(); err == nil {
					won.Add(1)
				} else if cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(stderr.String(), "file already exists") {
					t.Errorf("%v: %s", err, stderr.String())
				}
			})
		}
		all.Wait()
		p, err := locate(ring)
		if err != nil {
			t.Fatal(err)
		}
		if set, err := p.Load(t.Context()); err != nil || won.Load() != 1 || set.Generation() != 1 {
			t.Errorf("%d of %d made a ring, which is %v: %v", won.Load(), n, set, err)
		}
	})
}
