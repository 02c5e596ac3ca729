package markset_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mrand "math/rand/v2"

	"github.com/carnet-go/carnet/internal/markset"
	"github.com/carnet-go/carnet/token"
)

func entry(a markset.Axis, value, except string, at time.Time, life time.Duration) markset.Entry {
	return markset.NewEntry(a, value, except, at, time.Now().Add(life))
}

func claims(session, subject string, started time.Time) token.Claims {
	c := token.Claims{SessionID: session, Subject: subject, KeyID: "k", StartedAt: started}
	c.Audience = "web"
	return c
}

func covered(s *markset.Set, c token.Claims) bool {
	_, ok := s.Check(&c)
	return ok
}

// newID returns a session id as package token mints them.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Every bit of a minted id counts.
func TestIDsOfMintedSessionsDiffer(t *testing.T) {
	seen := map[markset.ID]string{}
	see := func(value string) {
		t.Helper()
		id := markset.IDOf(markset.Session, value)
		if other, ok := seen[id]; ok && other != value {
			t.Fatalf("%q and %q have one id", value, other)
		}
		seen[id] = value
	}
	see(base64.RawURLEncoding.EncodeToString(make([]byte, 16)))
	for bit := range 128 {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bit))
		see(base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 16))))
	}
	for i := range 20_000 {
		see(newID())
		see(fmt.Sprintf("session-of-alice%06d", i)) // some of these have the form of a minted one
	}
	// The same bits in another spelling are another value.
	see("AAAAAAAAAAAAAAAAAAAAAB")
	see("AAAAAAAAAAAAAAAAAAAAA=")
	see("AAAAAAAAAAAAAAAAAAAAAA ")
}

func TestIDsOfAxesDiffer(t *testing.T) {
	seen := map[markset.ID]bool{}
	for _, value := range []string{"", "a", "alice", newID()} {
		for a := markset.Session; a <= markset.Everyone; a++ {
			id := markset.IDOf(a, value)
			if seen[id] {
				t.Errorf("%v of %q has the id of something else", a, value)
			}
			seen[id] = true
		}
	}
}

// An id is part of what lies in Redis and in files.
func TestIDsNeverChange(t *testing.T) {
	for _, tt := range []struct {
		axis  markset.Axis
		value string
		want  string
	}{
		{markset.Session, "AAECAwQFBgcICQoLDA0ODw", "e2dae9247e326a2430f1ed21"},
		{markset.Session, "any other text", "28fa10e038a83015f5a7b3ec"},
		{markset.Subject, "alice", "9a59009273957119ec7dd1d3"},
		{markset.Everyone, "", "99bbef1dd6f545f3d62ad3e5"},
	} {
		if got := fmt.Sprintf("%x", markset.IDOf(tt.axis, tt.value)); got != tt.want {
			t.Errorf("%v %q: %s, want %s", tt.axis, tt.value, got, tt.want)
		}
	}
}

func TestEntriesSurviveTheirEncoding(t *testing.T) {
	at := time.Now()
	for _, e := range []markset.Entry{
		entry(markset.Session, newID(), "", time.Time{}, time.Hour),
		entry(markset.Key, "2026-a", "", at, time.Hour),
		entry(markset.Subject, "alice", "", at, time.Hour),
		entry(markset.Subject, "alice", newID(), at, time.Hour),
		entry(markset.Audience, "web", "", time.Unix(-1, 0), time.Hour),
		entry(markset.Everyone, "", "s", at, 200*365*24*time.Hour),
		entry(markset.Everyone, "", "", at, -200*365*24*time.Hour),
	} {
		b := e.Append(nil)
		got, rest, err := markset.Parse(append(b, 1, 2))
		if err != nil || got != e || len(rest) != 2 {
			t.Errorf("%v: got %v, %d bytes left, %v", e, got, len(rest), err)
		}
		for n := range b {
			if _, _, err := markset.Parse(b[:n]); !errors.Is(err, markset.ErrEntry) {
				t.Errorf("%v, cut to %d bytes: %v", e, n, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(entry(markset.Session, "s", "", time.Now(), time.Hour).Append(nil))
	f.Add(entry(markset.Subject, "alice", "", time.Now(), time.Hour).Append(nil))
	f.Add(entry(markset.Everyone, "", "s", time.Now(), time.Hour).Append(nil))
	f.Add([]byte{0x24})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, rest, err := markset.Parse(b)
		if err == nil && string(e.Append(nil)) != string(b[:len(b)-len(rest)]) {
			t.Errorf("%x is %v, which is written otherwise", b, e)
		}
	})
}

// A model keeps every mark as it came.
type model []markset.Entry

func (m model) covers(c token.Claims) bool {
	for _, e := range m {
		if time.Now().Unix() >= e.Until || e.ID != markset.IDOf(e.Axis, e.Axis.Of(&c)) {
			continue
		}
		spared := e.Except != markset.ID{} && e.Except == markset.IDOf(markset.Session, c.SessionID)
		if e.Axis.Whole() || !spared && c.StartedAt.UnixMicro() < e.At {
			return true
		}
	}
	return false
}

// With one lifetime the set answers exactly as a list of all marks would, and
// with many it never covers less.
func TestTheSetAgreesWithAListOfAllMarks(t *testing.T) {
	for seed := range uint64(24) {
		synctest.Test(t, func(t *testing.T) {
			r := mrand.New(mrand.NewPCG(seed, 0))
			one := func(of ...string) string { return of[r.IntN(len(of))] }
			s, m := markset.New(), model{}
			life := func() time.Duration { return 10 * time.Minute }
			if seed%2 == 1 {
				life = func() time.Duration { return time.Duration(r.IntN(1200)) * time.Second }
			}
			for range 300 {
				a := markset.Axis(r.IntN(5))
				value, except := one("a", "b", "c"), one("", "s0", "s1", "s2")
				at := time.Now().Add(time.Duration(r.IntN(20)-15) * 15 * time.Second)
				if a == markset.Everyone {
					value = ""
				}
				e := entry(a, value, except, at, time.Until(at)+life())
				if load := s.Loader(); r.IntN(3) == 0 {
					load.Add(e)
					load.Flush()
				} else {
					s.Add(e, r.IntN(2) == 0)
				}
				m = append(m, e)
				time.Sleep(time.Duration(r.IntN(30)) * time.Second)
				switch r.IntN(20) {
				case 0:
					s.Sweep()
				case 1:
					s.Forget()
				}
				for range 20 {
					c := claims(one("s0", "s1", "s2", "a", "b"), one("a", "b", "x"), time.Now().Add(-time.Duration(r.IntN(600))*time.Second))
					c.Audience, c.KeyID = one("a", "x"), one("a", "x", "y")
					got, want := covered(s, c), m.covers(c)
					if want && !got || seed%2 == 0 && got != want {
						t.Fatalf("seed %d: covered is %v, want %v", seed, got, want)
					}
				}
			}
			time.Sleep(time.Hour)
			s.Sweep()
			if s.Len() != 0 || s.Unstored() != 0 || s.Bytes() != 0 {
				t.Errorf("seed %d: %d marks, %d unstored, %d bytes are left", seed, s.Len(), s.Unstored(), s.Bytes())
			}
		})
	}
}

func TestTheSetKnowsWhatTheStoreLacks(t *testing.T) {
	s, now := markset.New(), time.Now()
	missing := func() (n int) {
		for range s.Missing() {
			n++
		}
		return n
	}
	for i := range 100 {
		for _, e := range []markset.Entry{
			entry(markset.Session, fmt.Sprint(i), "", now, time.Hour),
			entry(markset.Subject, fmt.Sprint(i), "", now, time.Hour),
			entry(markset.Subject, fmt.Sprint(i), "s", now.Add(time.Second), time.Hour),
		} {
			if first, again := s.Add(e, false), s.Add(e, false); first || again {
				t.Fatal("held, and nobody stored it")
			}
			if i%2 == 0 && (!s.Add(e, true) || !s.Add(e, false)) {
				t.Fatal("not held, although it was stored")
			}
		}
	}
	if got := missing(); got != 150 || s.Unstored() != 100 {
		t.Errorf("%d are missing in %d values, want 150 in 100", got, s.Unstored())
	}
	for e := range s.Missing() {
		s.Add(e, true)
	}
	if got := missing(); got != 0 || s.Unstored() != 0 {
		t.Errorf("%d are missing in %d values, want none", got, s.Unstored())
	}
	s.Lose(entry(markset.Subject, "7", "", now, time.Hour))
	if got := missing(); got != 2 {
		t.Errorf("%d are missing of a value that was lost, want 2", got)
	}
	s.Forget()
	if got := missing(); got != 300 || s.Unstored() != 200 {
		t.Errorf("%d are missing in %d values of a lost store, want 300 in 200", got, s.Unstored())
	}
}

func TestUndo(t *testing.T) {
	s, now := markset.New(), time.Now()
	session, old := claims("s", "bob", now), claims("t", "alice", now.Add(-time.Hour))
	marks := []markset.Entry{
		entry(markset.Session, "s", "", now, time.Hour),
		entry(markset.Subject, "alice", "", now, time.Hour),
		entry(markset.Subject, "alice", "x", now.Add(time.Second), time.Hour),
	}
	for _, e := range marks {
		s.Add(e, true)
	}
	if !covered(s, session) || !covered(s, old) {
		t.Fatal("not revoked")
	}
	for _, e := range marks {
		s.Undo(e)
		s.Add(e, true) // it comes late
	}
	if covered(s, session) || covered(s, old) {
		t.Error("still revoked")
	}
	later := entry(markset.Session, "s", "", now, 2*time.Hour)
	s.Add(later, true)
	s.Add(entry(markset.Subject, "alice", "", now.Add(time.Minute), 2*time.Hour), true)
	if !covered(s, session) || !covered(s, old) {
		t.Error("a later mark does not hold")
	}
}

// Readers come in while shards are built anew: no mark is ever missed.
func TestReadersSeeEveryMarkWhileTheSetGrows(t *testing.T) {
	const n = 5000
	s, ids := markset.New(), make([]string, n)
	for i := range ids {
		ids[i] = newID()
	}
	s.Add(entry(markset.Subject, "alice", "", time.Now(), time.Hour), true)
	done := make(chan int, 64)
	var reading sync.WaitGroup
	for range 2 {
		reading.Go(func() {
			for last := range done {
				for i := max(0, last-100); i <= last; i++ {
					if !covered(s, claims(ids[i], "bob", time.Now())) {
						t.Errorf("mark %d is missed", i)
					}
				}
				if !covered(s, claims("x", "alice", time.Now().Add(-time.Hour))) {
					t.Error("the subject is missed")
				}
			}
		})
	}
	for i, id := range ids {
		s.Add(entry(markset.Session, id, "", time.Time{}, time.Hour), i%3 == 0)
		if i%100 == 0 {
			done <- i
			s.Add(entry(markset.Subject, "alice", fmt.Sprint(i), time.Now(), time.Hour), true)
			s.Sweep()
		}
	}
	close(done)
	reading.Wait()
}

// What is loaded is what is added one by one, whether it was there before or not,
// over already, or undone.
func TestALoaderPutsInWhatAddDoes(t *testing.T) {
	for _, room := range []int{0, 20_000} {
		one, many := markset.New(), markset.New()
		var all []markset.Entry
		for i := range 20_000 {
			all = append(all, entry(markset.Session, newID(), "", time.Time{}, time.Duration(2*(i%10)-1)*time.Hour))
		}
		for i := range 100 {
			all = append(all, entry(markset.Subject, fmt.Sprint(i), "", time.Now(), time.Hour), all[5*i])
		}
		for _, s := range []*markset.Set{one, many} {
			for _, e := range all[:500] {
				s.Add(e, false)
			}
			for _, e := range all[250:1000] {
				s.Undo(e)
			}
		}
		many.Reserve(markset.Session, room)
		load := many.Loader()
		for _, e := range all {
			one.Add(e, true)
			load.Add(e)
		}
		load.Flush()
		if many.Unstored() != one.Unstored() {
			t.Errorf("%d marks are unstored, want %d", many.Unstored(), one.Unstored())
		}
		for _, e := range all {
			if got, want := many.Of(e.Axis, e.ID), one.Of(e.Axis, e.ID); !slices.Equal(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	s := filled(t, 1000)
	c := claims(newID(), "bob", time.Now())
	if n := testing.AllocsPerRun(100, func() { s.Check(&c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// filled returns a set with n sessions, a tenth as many subjects, and some of the
// other axes.
func filled(tb testing.TB, n int) *markset.Set {
	tb.Helper()
	s, now := markset.New(), time.Now()
	until := now.Add(time.Hour)
	var b [16]byte
	for i := range n {
		binary.BigEndian.PutUint64(b[4:], uint64(i)*0x9e3779b97f4a7c15)
		s.Add(markset.NewEntry(markset.Session, base64.RawURLEncoding.EncodeToString(b[:]), "", now, until), true)
		if i%10 == 0 {
			s.Add(markset.NewEntry(markset.Subject, fmt.Sprint("user ", i), "", now, until), true)
		}
	}
	for i := range 100 {
		s.Add(markset.NewEntry(markset.Audience, fmt.Sprint("tenant ", i), "", now, until), true)
		s.Add(markset.NewEntry(markset.Key, fmt.Sprint("key ", i), "", now, until), true)
	}
	s.Add(markset.NewEntry(markset.Everyone, "", "", now.Add(-24*time.Hour), until), true)
	return s
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{0, 1000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s := filled(b, n)
			runtime.GC()
			runtime.ReadMemStats(&after)
			all := make([]token.Claims, 4096)
			for i := range all {
				all[i] = claims(newID(), newID(), time.Now())
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				if _, ok := s.Check(&all[i&4095]); ok {
					b.Fatal("covered")
				}
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(max(s.Len(), 1)), "B/mark")
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	s, until := markset.New(), time.Now().Add(time.Hour)
	e := markset.Entry{Axis: markset.Session, Until: until.Unix()}
	for b.Loop() {
		rand.Read(e.ID[:])
		s.Add(e, true)
	}
}

func BenchmarkLoad(b *testing.B) {
	const n = 1_000_000
	all, until := make([]markset.Entry, n), time.Now().Add(time.Hour).Unix()
	for i := range all {
		all[i] = markset.Entry{Axis: markset.Session, Until: until}
		rand.Read(all[i].ID[:])
	}
	for b.Loop() {
		s := markset.New()
		s.Reserve(markset.Session, n)
		load := s.Loader()
		for _, e := range all {
			load.Add(e)
		}
		load.Flush()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/mark")
}
