package redislist_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/revocation/revocationtest"
	"github.com/carnet-go/carnet/token"
)

// What the client would log comes as errors too, and drowns what a test says.
func init() { logging.Disable() }

// connect returns a client as the documentation asks for.
func connect(t testing.TB, addr string) redis.UniversalClient {
	c := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, DialTimeout: time.Second})
	t.Cleanup(func() { c.Close() })
	return c
}

// open returns a list with a client of its own, as a node has it. The client is closed
// first: otherwise the list waits for a read that waits for news.
func open(t testing.TB, c redis.UniversalClient, config redislist.Config, prefix string) *redislist.List {
	l := config.New(c, prefix)
	t.Cleanup(func() { c.Close(); l.Close() })
	return l
}

// ready waits until the copies are complete.
func ready(t testing.TB, lists ...*redislist.List) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, l := range lists {
		if err := l.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// patient is for tests of what a list promises whatever time it takes, on a machine
// that has other things to do.
var patient = redislist.Config{Timeout: time.Minute, Bound: time.Hour}

// Each subtest gets a list of its own prefix; they warm up together.
func TestWhatEveryListPromises(t *testing.T) {
	t.Parallel()
	addr := redistest.Start(t).Addr
	const subtests = 40
	lists := make(chan *redislist.List, subtests)
	for i := range subtests {
		lists <- open(t, connect(t, addr), patient, string(rune('A'+i))+":")
	}
	revocationtest.TestList(t, func(t *testing.T) revocation.List {
		l := <-lists
		ready(t, l)
		return l
	}, nil)
}

func TestWhatEveryListPromisesOfFaults(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	prefixes, ways := make(map[revocation.List]string), make(map[revocation.List]*redistest.Proxy)
	another := func(t *testing.T, prefix string, config redislist.Config) revocation.List {
		way := redistest.NewProxy(t, s.Addr)
		l := open(t, connect(t, way.Addr), config, prefix)
		ready(t, l)
		prefixes[l], ways[l] = prefix, way
		return l
	}
	fresh := func() string { return fmt.Sprintf("list %d:", len(prefixes)) }
	revocationtest.TestFaults(t, revocationtest.Faults{
		Open: func(t *testing.T) revocation.List { return another(t, fresh(), patient) },
		Restart: func(t *testing.T, l revocation.List) revocation.List {
			l.(*redislist.List).Close()
			return another(t, prefixes[l], patient)
		},
		OpenSmall: func(t *testing.T, room int) revocation.List {
			small := patient
			small.Max = room
			return another(t, fresh(), small)
		},
		Fail: func(t *testing.T, l revocation.List, on bool) {
			if on {
				ways[l].Cut()
				return
			}
			ways[l].Heal()
			eventually(t, "Redis to be found again", func() bool {
				return l.Revoke(t.Context(), revocation.Session(login("nobody"))) == nil
			})
		},
	}, nil)
}

func login(subject string) token.Claims {
	return token.Claims{SessionID: rand.Text(), Subject: subject, StartedAt: time.Now().Add(-time.Hour), EndsAt: time.Now().Add(time.Hour)}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	redistest.Wait(t, what, done)
}

func refused(l *redislist.List, c token.Claims) bool {
	_, err := l.Look(c)
	return errors.Is(err, revocation.ErrRevoked)
}

// Who, why and which value travel with a mark of an operator, and no value does
// with a logout.
func TestNotesReachOtherNodes(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := open(t, connect(t, s.Addr), redislist.Config{}, "")
	b := open(t, connect(t, s.Addr), redislist.Config{}, "")
	ready(t, a, b)
	c, quiet := login("alice"), login("bob")
	m := revocation.Subject("alice", 0)
	m.Reason, m.By = "password leaked", "carol"
	var heard []redislist.Entry
	var mu sync.Mutex
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go b.Follow(ctx, func(e redislist.Entry) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, e)
	})
	eventually(t, "marks to be followed", func() bool {
		if err := a.Revoke(t.Context(), m, revocation.Session(quiet)); err != nil {
			t.Fatal(err)
		}
		m.At = m.At.Add(time.Microsecond)
		mu.Lock()
		defer mu.Unlock()
		return len(heard) >= 2
	})
	_, err := b.Look(c)
	revoked, ok := errors.AsType[*revocation.RevokedError](err)
	if !ok || revoked.Mark.Reason != m.Reason || revoked.Mark.By != m.By || revoked.Mark.Value != "alice" {
		t.Errorf("the other node knows %v", err)
	}
	values := map[string]string{}
	for e := range b.Marks() {
		values[e.ID] = e.Value
	}
	if got := values[redislist.ID("subject", "alice")]; got != "alice" {
		t.Errorf("the value of a mark with a reason is listed as %q", got)
	}
	if got, ok := values[redislist.ID("session", quiet.SessionID)]; got != "" || !ok {
		t.Errorf("the value of a logout is listed as %q, %v", got, ok)
	}
}

// An operator denies what its user has logged out already: the list of marks says so.
func TestANoteOfAMarkThatIsThere(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := open(t, connect(t, s.Addr), patient, "")
	b := open(t, connect(t, s.Addr), patient, "")
	ready(t, a, b)
	m := revocation.Session(login("alice"))
	if err := a.Revoke(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log to come back", func() bool { return b.Len() == 1 })
	for _, reason := range []string{"leaked", "again"} {
		m.Reason, m.By = reason, "carol"
		if err := a.Revoke(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	late := open(t, connect(t, s.Addr), patient, "")
	ready(t, late)
	eventually(t, "the note on each node", func() bool {
		for _, l := range []*redislist.List{a, b, late} {
			for e := range l.Marks() {
				if e.Reason != "leaked" || e.By != "carol" {
					return false
				}
			}
		}
		return true
	})
	if a.Len() != 1 || b.Len() != 1 || late.Len() != 1 {
		t.Errorf("%d, %d and %d marks, want 1", a.Len(), b.Len(), late.Len())
	}
}

func TestAllowUndoesOnEveryNode(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := open(t, connect(t, s.Addr), redislist.Config{}, "")
	b := open(t, connect(t, s.Addr), redislist.Config{}, "")
	ready(t, a, b)
	c := login("alice")
	marks := []revocation.Mark{revocation.Session(c), revocation.Subject("alice", 0)}
	for range 2 { // what was allowed can be revoked again
		if err := a.Revoke(t.Context(), marks...); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the marks", func() bool { return refused(a, c) && refused(b, c) })
		if err := b.Allow(t.Context(), marks...); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the undoing", func() bool { return !refused(a, c) && !refused(b, c) })
	}
	late := open(t, connect(t, s.Addr), redislist.Config{}, "")
	ready(t, late)
	if refused(late, c) {
		t.Error("a node that starts later has the marks")
	}
}

// A node's clock is ahead by a minute: the others know by what its heartbeats leave
// in Redis. A mark of now covers what such a node has begun, and what has begun at the
// moment of an earlier mark.
func TestAMarkCoversSessionsOfAClockThatIsAhead(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	l := open(t, connect(t, s.Addr), redislist.Config{}, "")
	ready(t, l)
	began := func(subject string, ahead time.Duration) token.Claims {
		c := login(subject)
		c.StartedAt = time.Now().Add(ahead)
		return c
	}
	revoke := func(m revocation.Mark) {
		t.Helper()
		if err := l.Revoke(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	revoke(revocation.Subject("alice", 0))
	if refused(l, began("alice", 0)) {
		t.Error("with clocks that agree, who logs in again is refused")
	}
	s.Must("HSET", "{carnet:}revoked:head", "f", "60000", "s", strconv.FormatInt(time.Now().UnixMilli(), 10))
	eventually(t, "a mark that reaches as far as the clock", func() bool {
		c := began(rand.Text(), time.Minute)
		revoke(revocation.Subject(c.Subject, 0))
		return refused(l, c)
	})
	m := revocation.Subject("bob", 0)
	m.At = time.Now().Add(3 * time.Minute).Truncate(time.Microsecond)
	revoke(m)
	c := login("bob")
	c.StartedAt = m.At
	if refused(l, c) {
		t.Error("a session that began at the moment of the mark is refused")
	}
	revoke(revocation.Subject("bob", 0))
	if !refused(l, c) {
		t.Error("a later mark does not cover it")
	}
	old := revocation.Subject("carol", 0)
	old.At = old.At.Add(-time.Hour)
	revoke(old)
	if refused(l, began("carol", -time.Minute)) {
		t.Error("a mark with a moment in the past is moved")
	}
}

func TestAClosedListKeepsItsCopy(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	l := open(t, connect(t, s.Addr), redislist.Config{}, "")
	ready(t, l)
	c := login("alice")
	if err := l.Revoke(t.Context(), revocation.Session(c)); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if !refused(l, c) {
		t.Error("a closed list accepts what was revoked")
	}
	if err := l.Revoke(t.Context(), revocation.Session(login("bob"))); !errors.Is(err, redislist.ErrClosed) {
		t.Errorf("Revoke on a closed list: %v", err)
	}
}

func TestBadConfigurationPanics(t *testing.T) {
	c := connect(t, "127.0.0.1:1")
	for name, f := range map[string]func(){
		"a brace in the prefix": func() { redislist.New(c, "{a}") },
		"a negative bound":      func() { redislist.Config{Bound: -1}.New(c, "") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
