package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/revocationtest"
	"github.com/carnet-go/carnet/token"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	revocationtest.TestList(t, func(*testing.T) revocation.List { return new(revocation.Memory) }, synctest.Test)
	t.Run("zero", func(t *testing.T) {
		revocationtest.TestList(t, func(*testing.T) revocation.List { return new(revocation.Memory) }, synctest.Test)
	})
}

func TestMemorySurvivesTheFaults(t *testing.T) {
	revocationtest.TestFaults(t, revocationtest.Faults{
		Open:      func(*testing.T) revocation.List { return new(revocation.Memory) },
		OpenSmall: func(_ *testing.T, room int) revocation.List { return &revocation.Memory{Max: room} },
	}, synctest.Test)
}

// login returns claims of a session that began at that time.
func login(id, who string, at time.Time) token.Claims {
	return token.Claims{
		Binding:   token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		ID:        "a-token-id",
		SessionID: id,
		Subject:   who,
		KeyID:     "2026-a",
		StartedAt: at,
		IssuedAt:  at.Truncate(time.Second),
		ExpiresAt: at.Truncate(time.Second).Add(30 * time.Minute),
		EndsAt:    at.Truncate(time.Second).Add(12 * time.Hour),
	}
}

func revoke(t testing.TB, l revocation.List, marks ...revocation.Mark) {
	t.Helper()
	if err := l.Revoke(t.Context(), marks...); err != nil {
		t.Fatal(err)
	}
}

func revoked(t testing.TB, l revocation.List, c token.Claims) bool {
	t.Helper()
	err := l.Check(t.Context(), c)
	if err != nil && !errors.Is(err, revocation.ErrRevoked) {
		t.Fatal(err)
	}
	return err != nil
}

func TestMemoryForgetsAtUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := new(revocation.Memory), login("s", "alice", time.Now())
		m := revocation.Session(c)
		revoke(t, l, m)
		time.Sleep(time.Until(m.Until) - 1)
		if !revoked(t, l, c) {
			t.Error("forgotten a nanosecond too early")
		}
		time.Sleep(time.Nanosecond)
		if revoked(t, l, c) {
			t.Error("not forgotten")
		}
	})
}

// all is a list that keeps every mark as it came: what a Memory must agree with.
type all []revocation.Mark

func (l all) covers(c token.Claims) bool {
	return slices.ContainsFunc(l, func(m revocation.Mark) bool { return time.Now().Before(m.Until) && m.Covers(c) })
}

// A world has few values, so that marks meet.
type world struct{ *rand.Rand }

func (w world) one(of ...string) string { return of[w.IntN(len(of))] }

func (w world) mark(life func() time.Duration) revocation.Mark {
	m := revocation.Mark{
		Axis: revocation.Axis(w.one("session", "subject", "subject", "subject", "audience", "key", "everyone")),
		At:   time.Now().Add(time.Duration(w.IntN(20)-15) * 15 * time.Second),
	}
	m.Until = m.At.Add(life())
	switch m.Axis {
	case "session":
		m.Value = w.one("s0", "s1", "s2", "s3")
		return m
	case "subject":
		m.Value = w.one("alice", "bob")
	case "audience":
		m.Value = w.one("api", "tv")
	case "key":
		m.Value = "k" + w.one("0", "1")
		return m
	}
	m.Except = w.one("", "s0", "s1", "s2")
	return m
}

// each calls f with every session that a mark of the world can tell from others.
func (w world) each(f func(c token.Claims)) {
	for _, id := range []string{"s0", "s1", "s2", "s3", "s4"} {
		for _, who := range []string{"alice", "bob", "carol"} {
			c := login(id, who, time.Now().Add(time.Duration(w.IntN(40)-35)*15*time.Second-time.Duration(w.IntN(2))))
			c.Audience, c.KeyID = w.one("api", "tv", "web"), "k"+w.one("0", "1", "2")
			f(c)
		}
	}
}

// live runs a Memory beside the list of all marks, with a mark a minute.
func live(t *testing.T, seed uint64, life func(w world) time.Duration, compare func(c token.Claims, got, want bool)) {
	synctest.Test(t, func(t *testing.T) {
		w := world{rand.New(rand.NewPCG(seed, 0))}
		l, marks := new(revocation.Memory), all{}
		for range 300 {
			m := w.mark(func() time.Duration { return life(w) })
			revoke(t, l, m)
			marks = append(marks, m)
			if w.IntN(4) == 0 {
				revoke(t, l, marks[w.IntN(len(marks))]) // a retry, perhaps of one that is over
			}
			time.Sleep(time.Duration(w.IntN(60)) * time.Second)
			w.each(func(c token.Claims) { compare(c, revoked(t, l, c), marks.covers(c)) })
		}
		time.Sleep(48 * time.Hour)
		w.each(func(c token.Claims) {
			if revoked(t, l, c) {
				t.Fatal("a mark holds for ever")
			}
		})
	})
}

// With one MaxAge a Memory answers exactly as a list of all marks would.
func TestMemoryAgreesWithAListOfAllMarks(t *testing.T) {
	count := map[bool]int{}
	for seed := range uint64(20) {
		hours := func(world) time.Duration { return time.Duration(seed%5+1) * time.Hour / 4 }
		live(t, seed, hours, func(c token.Claims, got, want bool) {
			if count[want]++; got != want {
				t.Fatalf("seed %d: revoked is %v, want %v", seed, got, want)
			}
		})
	}
	if count[true] < 1000 || count[false] < 1000 {
		t.Errorf("one-sided: %v", count)
	}
}

// With lifetimes at random it may cover more, never less.
func TestMemoryNeverCoversLess(t *testing.T) {
	for seed := range uint64(20) {
		random := func(w world) time.Duration { return time.Duration(1+w.IntN(600)) * time.Minute }
		live(t, seed, random, func(c token.Claims, got, want bool) {
			if want && !got {
				t.Fatalf("seed %d: a session that was revoked is good", seed)
			}
		})
	}
}

// Thirty marks of one subject, each later one forgotten earlier: none makes
// another redundant, and still they must not add up.
func TestMemoryBoundsTheMarksOfOneValue(t *testing.T) {
	const n = 30
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			l, marks, start := new(revocation.Memory), all{}, time.Now()
			for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(n) {
				marks = append(marks, revocation.Mark{
					Axis: "subject", Value: "alice", Except: fmt.Sprint("s", i%5),
					At:    start.Add(time.Duration(i-n) * time.Minute),
					Until: start.Add(time.Duration(n-i) * time.Minute),
				})
			}
			revoke(t, l, marks...)
			if l.Len() > 8 {
				t.Errorf("seed %d: %d marks of one subject", seed, l.Len())
			}
			for range n {
				for i := range n {
					c := login(fmt.Sprint("s", i%6), "alice", start.Add(time.Duration(i-n)*time.Minute-time.Microsecond))
					if marks.covers(c) && !revoked(t, l, c) {
						t.Fatalf("seed %d: a session that was revoked is good", seed)
					}
				}
				if revoked(t, l, login("s", "alice", start)) || revoked(t, l, login("s", "bob", start.Add(-time.Hour))) {
					t.Errorf("seed %d: a session that no mark covers is revoked", seed)
				}
				time.Sleep(time.Minute)
			}
		})
	}
}

// "Log out all others", pressed every minute, is not a way to fill a list.
func TestMemoryKeepsTwoMarksOfOneMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(revocation.Memory)
		for i := range 1000 {
			m := revocation.Subject("alice", 0)
			m.Except = fmt.Sprint("s", i)
			revoke(t, l, m)
			if l.Len() > 2 {
				t.Fatalf("%d marks", l.Len())
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestMemoryHoldsOnceWhatComesTwice(t *testing.T) {
	now := time.Now()
	mark := func(axis revocation.Axis, except string, ago, life time.Duration) revocation.Mark {
		m := revocation.Mark{Axis: axis, Value: "v", Except: except, At: now.Add(-ago), Until: now.Add(life)}
		if axis == "everyone" {
			m.Value = ""
		}
		return m
	}
	for name, tt := range map[string]struct {
		first, second revocation.Mark
		want          int
	}{
		"the same":                    {mark("subject", "", 0, time.Hour), mark("subject", "", 0, time.Hour), 1},
		"the same, sparing":           {mark("everyone", "s", 0, time.Hour), mark("everyone", "s", 0, time.Hour), 1},
		"a later one, sparing":        {mark("subject", "s", 9, time.Hour), mark("subject", "s", 0, time.Hour+9), 1},
		"one that spares nothing":     {mark("subject", "s", 9, time.Hour), mark("subject", "", 0, time.Hour), 1},
		"one that spares something":   {mark("audience", "", 0, time.Hour), mark("audience", "s", 9, time.Hour), 1},
		"a session, for longer":       {mark("session", "", 0, time.Hour), mark("session", "", 9000, 2*time.Hour), 1},
		"a key, for shorter":          {mark("key", "", 9000, 2*time.Hour), mark("key", "", 0, time.Hour), 1},
		"sparing two":                 {mark("subject", "s", 0, time.Hour), mark("subject", "t", 0, time.Hour), 2},
		"a later one, for shorter":    {mark("subject", "", 9000, 2*time.Hour), mark("subject", "", 0, time.Hour), 2},
		"one of another axis":         {mark("session", "", 0, time.Hour), mark("subject", "", 0, time.Hour), 2},
		"one that spares, but longer": {mark("subject", "", 0, time.Hour), mark("subject", "s", 0, 2*time.Hour), 2},
	} {
		t.Run(name, func(t *testing.T) {
			l := new(revocation.Memory)
			revoke(t, l, tt.first)
			revoke(t, l, tt.second)
			if l.Len() != tt.want {
				t.Errorf("%d marks, want %d", l.Len(), tt.want)
			}
		})
	}
}

func TestMemoryKeepsTheFirstReason(t *testing.T) {
	l, c := new(revocation.Memory), login("s", "alice", time.Now())
	m := revocation.Session(c)
	m.Reason = "laptop stolen"
	revoke(t, l, m)
	m.Reason = "tried again"
	revoke(t, l, m)
	if err := l.Check(t.Context(), c); err == nil || !strings.HasSuffix(err.Error(), "laptop stolen") {
		t.Errorf("got %v", err)
	}
}

// session returns a mark of a session of its own that is in force for so long.
func session(i int, life time.Duration) revocation.Mark {
	return revocation.Mark{Axis: "session", Value: fmt.Sprint("session ", i), Until: time.Now().Add(life)}
}

func TestMemoryRefusesWhatHasNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &revocation.Memory{Max: 3}
		revoke(t, l, session(0, time.Hour), session(1, 2*time.Hour), session(2, 3*time.Hour))

		err := l.Revoke(t.Context(), session(3, time.Hour))
		if !errors.Is(err, revocation.ErrFull) || errors.Is(err, token.ErrInvalid) {
			t.Fatalf("a fourth mark: %v", err)
		}
		for i := range 4 {
			if got, want := revoked(t, l, login(fmt.Sprint("session ", i), "alice", time.Now())), i < 3; got != want {
				t.Errorf("session %d: revoked is %v", i, got)
			}
		}
		revoke(t, l, session(0, time.Hour), session(1, 5*time.Hour)) // there already

		time.Sleep(time.Hour)
		revoke(t, l, session(3, time.Hour))
		if err := l.Revoke(t.Context(), session(4, time.Hour)); !errors.Is(err, revocation.ErrFull) {
			t.Errorf("a fifth mark: %v", err)
		}
		time.Sleep(2 * time.Hour) // the marks 2 and 3 are over, 1 was made longer
		revoke(t, l, session(5, time.Hour), session(6, time.Hour))
		if !revoked(t, l, login("session 1", "alice", time.Now())) {
			t.Error("the longer mark is gone")
		}
	})
}

// A value with two marks makes room as soon as one of them is over, and a mark
// that was made longer doesn't stand before those that are over earlier.
func TestMemoryFindsWhatIsOverFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, now := &revocation.Memory{Max: 4}, time.Now()
		subject := revocation.Mark{Axis: "subject", Value: "alice", At: now.Add(-time.Hour), Until: now.Add(9 * time.Hour)}
		later := subject
		later.At, later.Until = now, now.Add(2*time.Hour)
		revoke(t, l, subject, later)
		revoke(t, l, session(0, time.Hour), session(1, 3*time.Hour))
		revoke(t, l, session(0, 8*time.Hour))
		for i, at := range []time.Duration{2 * time.Hour, 3 * time.Hour} {
			time.Sleep(time.Until(now.Add(at)))
			revoke(t, l, session(10+i, 20*time.Hour))
			if err := l.Revoke(t.Context(), session(20, time.Hour)); !errors.Is(err, revocation.ErrFull) {
				t.Errorf("after %v there was room for two: %v", at, err)
			}
		}
		if !revoked(t, l, login("session 0", "bob", now)) || !revoked(t, l, login("s", "alice", now.Add(-2*time.Hour))) {
			t.Error("a mark is gone before its time")
		}
	})
}

// What has expired makes way a little at a time, so that no caller waits for all
// of it.
func TestMemorySweepsInSmallSteps(t *testing.T) {
	const n = 10_000
	synctest.Test(t, func(t *testing.T) {
		l := new(revocation.Memory)
		for i := range n {
			revoke(t, l, session(i, time.Duration(1+i*7919%n)*time.Second))
		}
		if l.Len() != n {
			t.Fatalf("%d marks of %d", l.Len(), n)
		}
		time.Sleep(n * time.Second)
		revoke(t, l, session(n, 10*time.Hour))
		if got := l.Len(); got <= n*9/10 || got > n {
			t.Errorf("%d of %d marks are left after one call", got, n)
		}
		for i := range n / 10 {
			revoke(t, l, session(n+1+i%2, 10*time.Hour))
		}
		if l.Len() != 3 {
			t.Errorf("%d marks are left, want 3", l.Len())
		}
	})
}

func TestMemoryAnswersAMissWithoutAllocation(t *testing.T) {
	l, c := new(revocation.Memory), login("another session", "bob", time.Now())
	everyone := revocation.Everyone(0)
	everyone.At = time.Now().Add(-time.Hour)
	revoke(t, l, session(0, time.Hour), revocation.Subject("alice", 0), everyone)
	if n := testing.AllocsPerRun(100, func() { l.Check(t.Context(), c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMemoryHoldsALogoutOfAClientThatHungUp(t *testing.T) {
	l, c := new(revocation.Memory), login("s", "alice", time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Revoke(ctx, revocation.Session(c)); err != nil {
		t.Error(err)
	}
	if !revoked(t, l, c) {
		t.Error("the logout does not hold")
	}
}

func TestMemoryPrintsNoValue(t *testing.T) {
	l := new(revocation.Memory)
	revoke(t, l, revocation.Subject("alice", 0))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if out := fmt.Sprintf(verb, l); strings.Contains(out, "alice") || !strings.Contains(out, "redacted") {
			t.Errorf("%s prints %q", verb, out)
		}
	}
}

func BenchmarkMemoryCheck(b *testing.B) {
	l := new(revocation.Memory)
	for i := range 100_000 {
		revoke(b, l, session(i, time.Hour))
	}
	revoke(b, l, revocation.Subject("alice", 0))
	for name, c := range map[string]token.Claims{
		"good":    login("another session", "bob", time.Now()),
		"session": login("session 77", "bob", time.Now()),
		"subject": login("another session", "alice", time.Now().Add(-time.Hour)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := l.Check(b.Context(), c); (err == nil) != (name == "good") {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkMemoryRevoke(b *testing.B) {
	b.ReportAllocs()
	l, i := new(revocation.Memory), 0
	for b.Loop() {
		// A tenth of a second later it is over: the list reaches a steady length.
		revoke(b, l, session(i, 100*time.Millisecond))
		i++
	}
	b.ReportMetric(float64(l.Len()), "marks")
}

// Each mark holds from the moment that Revoke has returned, while the list grows and
// shrinks, and nobody else is refused.
func TestEachMarkHoldsWhileTheListGrowsAndShrinks(t *testing.T) {
	list := new(revocation.Memory)
	claims := func(i int) token.Claims {
		return token.Claims{SessionID: fmt.Sprintf("session-%014d", i), Subject: fmt.Sprint("user-", i), EndsAt: time.Now().Add(time.Hour)}
	}
	refused := func(i int) bool { return errors.Is(list.Check(t.Context(), claims(i)), revocation.ErrRevoked) }
	const n = 5000
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := n; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if refused(n + i%n) {
				t.Errorf("%d was never taken back", n+i%n)
			}
		}
	})
	for round := range 3 {
		for i := range n {
			if err := list.Revoke(t.Context(), revocation.Session(claims(i))); err != nil {
				t.Fatal(err)
			}
			if !refused(i) || !refused(i/2) || !refused(0) {
				t.Fatalf("round %d: a mark is forgotten at %d", round, i)
			}
		}
		for i := range n {
			if err := list.Allow(t.Context(), revocation.Session(claims(i))); err != nil {
				t.Fatal(err)
			}
			if refused(i) || i+1 < n && !refused(n-1) {
				t.Fatalf("round %d: after lifting %d", round, i)
			}
		}
	}
	close(stop)
	wg.Wait()
}
