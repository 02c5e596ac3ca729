package revocationtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// Faults is how a test gets at what can go wrong around a list. A field that is
// nil is a fault that the list does not know, and its subtests are left out.
type Faults struct {
	// Open returns a list without marks, and leaves the closing to t.Cleanup. It is
	// required.
	Open func(t *testing.T) revocation.List

	// Restart ends the list, as by the end of its process, and returns the one that
	// comes after it. For a list that is on a server that is another one there.
	Restart func(t *testing.T, l revocation.List) revocation.List

	// OpenSmall returns a list with room for that many marks.
	OpenSmall func(t *testing.T, room int) revocation.List

	// Fail has what the list writes to fail, or not any more.
	Fail func(t *testing.T, l revocation.List, on bool)
}

// TestFaults tests what a list promises when something goes wrong, each promise in
// a subtest of its own. Run is as for [TestList].
//
// Not tested: a kill in the middle of a write, and a store that loses what it has
// acknowledged.
func TestFaults(t *testing.T, f Faults, run func(t *testing.T, test func(t *testing.T))) {
	if run == nil {
		run = func(t *testing.T, test func(t *testing.T)) { test(t) }
	}
	for _, p := range []struct {
		name  string
		known bool
		test  func(t *testing.T, f Faults)
	}{
		{"a restart forgets no mark", f.Restart != nil, restartForgetsNoMark},
		{"a restart brings nothing back", f.Restart != nil, restartBringsNothingBack},
		{"a restart forgets nothing that many set", f.Restart != nil, restartAfterMany},
		{"a full list says so and forgets nothing", f.OpenSmall != nil, fullListForgetsNothing},
		{"a write that fails is no acknowledgement", f.Fail != nil, failedWriteIsNoAcknowledgement},
		{"what is acknowledged between failures holds", f.Fail != nil, acknowledgedBetweenFailures},
	} {
		if p.known {
			t.Run(p.name, func(t *testing.T) { run(t, func(t *testing.T) { p.test(t, f) }) })
		}
	}
}

// a kept mark and what it must go on to do.
type kept struct {
	mark          revocation.Mark
	covers, spare token.Claims
}

// oneOfEach returns a mark of each axis, with claims that it covers, and others
// that it is near to but does not.
func oneOfEach() (all []kept) {
	at := ago(time.Hour)
	for _, axis := range []revocation.Axis{"session", "subject", "audience", "key"} {
		c := login("subject-"+string(axis), at.Add(-tick))
		c.Audience, c.KeyID = "audience-"+string(axis), "kid-"+string(axis)
		m := before(at, axis, map[revocation.Axis]string{
			"session": c.SessionID, "subject": c.Subject, "audience": c.Audience, "key": c.KeyID,
		}[axis])
		k := kept{m, c, with(c, func(c *token.Claims) { c.StartedAt = at })}
		if axis == "session" || axis == "key" {
			k.spare = login("bob", at)
		}
		all = append(all, k)

		if axis == "subject" || axis == "audience" {
			c.Subject, c.Audience = c.Subject+"-2", c.Audience+"-2"
			m.Value, m.Except = m.Value+"-2", c.SessionID
			all = append(all, kept{m, with(c, func(c *token.Claims) { c.SessionID += "0" }), c})
		}
	}
	for i := range all {
		all[i].mark.Reason, all[i].mark.By = fmt.Sprint("reason ", i), fmt.Sprint("operator ", i)
	}
	return all
}

func restartForgetsNoMark(t *testing.T, f Faults) {
	s, all := tester{t, f.Open(t)}, oneOfEach()
	for _, k := range all {
		s.revoke(k.mark)
	}
	for n := range 3 {
		for _, k := range all {
			what := fmt.Sprintf("after %d restarts, a mark of %s", n, k.mark.Axis)
			s.refuses(what, k.covers)
			s.accepts(what+": what it does not cover", k.spare)
			var revoked *revocation.RevokedError
			if err := s.list.Check(t.Context(), k.covers); errors.As(err, &revoked) && (revoked.Mark.Reason != k.mark.Reason || revoked.Mark.By != k.mark.By) {
				t.Errorf("%s has another reason: %v", what, revoked.Mark)
			}
		}
		s.list = f.Restart(t, s.list)
	}
	c := login("alice", ago(time.Hour))
	s.revoke(revocation.Session(c), before(ago(0), "everyone", ""))
	s.list = f.Restart(t, s.list)
	s.refuses("a session that was revoked after a restart", c)
	s.refuses("everyone", login("bob", ago(time.Hour)))
}

func restartBringsNothingBack(t *testing.T, f Faults) {
	s := tester{t, f.Open(t)}
	c := login("alice", ago(time.Hour))
	m := revocation.Mark{Axis: "session", Value: c.SessionID, Until: time.Now().Add(20 * time.Millisecond)}
	s.revoke(m)
	s.waitForgotten(m, c)
	s.list = f.Restart(t, s.list)
	s.accepts("a session whose mark was over before the restart", c)

	if undo, ok := s.list.(allower); ok {
		s.revoke(revocation.Session(c))
		if err := undo.Allow(t.Context(), revocation.Session(c)); err != nil {
			t.Fatalf("Allow: %v", err)
		}
		s.list = f.Restart(t, s.list)
		s.accepts("a session that was allowed again before the restart", c)
	}
}

func restartAfterMany(t *testing.T, f Faults) {
	s := tester{t, f.Open(t)}
	const writers, each = 8, 20
	all := make([][each]token.Claims, writers)
	var wg sync.WaitGroup
	for w := range all {
		wg.Go(func() {
			for i := range each {
				c := login(fmt.Sprint("subject ", w), ago(time.Hour))
				if err := s.list.Revoke(t.Context(), revocation.Session(c)); err != nil {
					t.Errorf("Revoke: %v", err)
				}
				all[w][i] = c
			}
		})
	}
	wg.Wait()
	s.list = f.Restart(t, s.list)
	for _, of := range all {
		for _, c := range of {
			s.refuses("a session that one of many revoked", c)
		}
	}
}

func fullListForgetsNothing(t *testing.T, f Faults) {
	const room = 20
	s := tester{t, f.OpenSmall(t, room)}
	var taken []token.Claims
	var full error
	for range 10 * room {
		c := login("alice", ago(time.Hour))
		if err := s.list.Revoke(t.Context(), revocation.Session(c)); err != nil {
			full = err
			s.saysNothing(err, c)
			continue
		}
		taken = append(taken, c)
	}
	switch {
	case full == nil:
		t.Errorf("a list with room for %d marks took %d", room, len(taken))
	case len(taken) == 0:
		t.Fatalf("a list with room for %d marks took none: %v", room, full)
	}
	for _, c := range taken {
		s.refuses("a session that was revoked before the list was full", c)
	}
	s.revoke(revocation.Session(taken[0])) // there already
	s.accepts("a session that nobody revoked", login("bob", ago(time.Hour)))
}

// saysNothing checks an error of Revoke that is no fault of the mark.
func (s tester) saysNothing(err error, c token.Claims) {
	s.Helper()
	if errors.Is(err, token.ErrInvalid) {
		s.Errorf("%v would be read as a bad token", err)
	}
	if strings.Contains(err.Error(), c.SessionID) || strings.Contains(err.Error(), c.Subject) {
		s.Errorf("%q shows a claim", err)
	}
}

func failedWriteIsNoAcknowledgement(t *testing.T, f Faults) {
	s := tester{t, f.Open(t)}
	old, lost := login("alice", ago(time.Hour)), login("alice", ago(time.Hour))
	s.revoke(revocation.Session(old))
	f.Fail(t, s.list, true)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for range 2 {
		err := s.list.Revoke(ctx, revocation.Session(lost))
		if err == nil {
			t.Fatal("Revoke returned nil although nothing can be written")
		}
		s.saysNothing(err, lost)
		if err := s.list.Check(t.Context(), old); err == nil {
			t.Error("a session that was revoked before the failure is good")
		}
		if err := s.list.Check(t.Context(), login("bob", ago(time.Hour))); errors.Is(err, token.ErrInvalid) {
			t.Errorf("a session that nobody revoked: %v", err)
		}
	}
	f.Fail(t, s.list, false)
	s.revoke(revocation.Session(lost))
	for range 2 {
		s.refuses("a session that was revoked before the failure", old)
		s.refuses("one whose mark was taken at the second try", lost)
		if f.Restart == nil {
			return
		}
		s.list = f.Restart(t, s.list)
	}
}

// Writers go on while the writes fail and work in turn. Some are acknowledged.
func acknowledgedBetweenFailures(t *testing.T, f Faults) {
	s := tester{t, f.Open(t)}
	for round := range 3 {
		held := make([][]token.Claims, 4)
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for w := range held {
			wg.Go(func() {
				for {
					c := login(fmt.Sprint("subject ", w), ago(time.Hour))
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					if s.list.Revoke(ctx, revocation.Session(c)) == nil {
						held[w] = append(held[w], c)
					}
					cancel()
					select {
					case <-stop:
						return
					case <-time.After(time.Millisecond):
					}
				}
			})
		}
		for range 3 {
			time.Sleep(10 * time.Millisecond)
			f.Fail(t, s.list, true)
			time.Sleep(10 * time.Millisecond)
			f.Fail(t, s.list, false)
		}
		close(stop)
		wg.Wait()
		if f.Restart != nil && round > 0 {
			s.list = f.Restart(t, s.list)
		}
		for _, of := range held {
			for _, c := range of {
				s.refuses("a session whose mark was acknowledged between failures", c)
			}
		}
	}
}
