package revocationtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// Each order of the marks, on a subject of its own, must cover what the marks
// cover one by one.
func neitherOrderNorRepetitionMatters(s tester) {
	kept := []string{login("", ago(0)).SessionID, login("", ago(0)).SessionID}
	ats := []time.Time{ago(4 * time.Hour), ago(3 * time.Hour), ago(2 * time.Hour), ago(time.Hour)}
	excepts := []string{kept[0], "", kept[1], kept[0]}
	for n, order := range orders(len(ats)) {
		who := fmt.Sprint("subject ", n)
		var marks []revocation.Mark
		for i := range ats {
			m := before(ats[i], "subject", who)
			m.Except = excepts[i]
			marks = append(marks, m)
		}
		for _, i := range order {
			s.revoke(marks[i])
		}
		s.revoke(marks[order[0]], marks[order[1]]) // again
		for _, id := range append(kept, "any other session, by its id") {
			for i, at := range ats {
				for _, start := range []time.Time{at.Add(-tick), at} {
					c := with(login(who, start), func(c *token.Claims) { c.SessionID = id })
					covered := slices.ContainsFunc(marks, func(m revocation.Mark) bool { return m.Covers(c) })
					if s.accepted(c) == covered {
						s.Errorf("order %v, a session of about mark %d: covered is %v", order, i, covered)
					}
				}
			}
		}
	}
}

// orders returns the permutations of 0 to n-1.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range orders(n - 1) {
		for i := 0; i <= len(shorter); i++ {
			all = append(all, slices.Insert(slices.Clone(shorter), i, n-1))
		}
	}
	return all
}

func aMarkHoldsUntilItsEnd(s tester) {
	c := login("alice", ago(time.Hour))
	for _, m := range []revocation.Mark{
		{Axis: "session", Value: c.SessionID},
		{Axis: "subject", Value: c.Subject},
		{Axis: "everyone"},
	} {
		m.Until = time.Now().Add(50 * time.Millisecond)
		s.revoke(m)
		// The clock is read after the check, so that a slow machine is no failure.
		if accepted := s.accepted(c); accepted && time.Now().Before(m.Until) {
			s.Errorf("a mark of %s is forgotten too early", m.Axis)
		}
		s.waitForgotten(m, c)
	}
}

// waitForgotten waits until the mark's end, and a few seconds more for a list
// that rounds up.
func (s tester) waitForgotten(m revocation.Mark, c token.Claims) {
	s.Helper()
	time.Sleep(time.Until(m.Until))
	for range 500 {
		if s.accepted(c) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Errorf("a mark of %s is not forgotten", m.Axis)
}

// The later mark covers more sessions, the older one covers them for longer.
// Until their ends both must hold.
func aMarkOutlivesALaterOne(s tester) {
	for _, longFirst := range []bool{true, false} {
		who := fmt.Sprint("subject ", longFirst)
		long := before(ago(2*time.Hour), "subject", who)
		short := before(ago(time.Hour), "subject", who)
		short.Until = time.Now().Add(50 * time.Millisecond)
		if longFirst {
			s.revoke(long)
			s.revoke(short)
		} else {
			s.revoke(short)
			s.revoke(long)
		}
		between, old := login(who, ago(90*time.Minute)), login(who, ago(3*time.Hour))
		if accepted := s.accepted(between); accepted && time.Now().Before(short.Until) {
			s.Error("the later mark does not hold")
		}
		time.Sleep(time.Until(short.Until))
		s.refuses("a session of the longer mark", old)
	}
}

func aMarkThatIsOverIsNoError(s tester) {
	c := login("alice", ago(24*time.Hour))
	s.revoke(revocation.Session(c))
	s.accepts("a session that ended by itself", c) // refusing it is the verifier's task
}

// More marks than a careless cache has room for. A list may refuse some; it must
// hold those that it took.
func noMarkMakesRoomForAnother(s tester) {
	const calls, each = 20, 100
	var taken []token.Claims
	for range calls {
		sessions := make([]token.Claims, each)
		marks := make([]revocation.Mark, each)
		for i := range sessions {
			sessions[i] = login(fmt.Sprint("subject ", i), ago(time.Hour))
			marks[i] = revocation.Session(sessions[i])
		}
		if err := s.list.Revoke(s.Context(), marks...); err == nil {
			taken = append(taken, sessions...)
		}
	}
	if len(taken) == 0 {
		s.Fatalf("no call with %d marks was taken", each)
	}
	good := 0
	for _, c := range taken {
		if s.accepted(c) {
			good++
		}
	}
	if good > 0 {
		s.Errorf("%d of %d revoked sessions are good again", good, len(taken))
	}
}

// Writers log their own sessions out and hand them to the readers. Once Revoke
// has returned, a check by anybody must see it.
func whatWasAcknowledgedIsSeen(s tester) {
	const writers, each = 4, 25
	revoked := make(chan token.Claims)
	all := make(chan token.Claims, writers*each)
	var writing, reading sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range each {
				c := login("alice", ago(time.Hour))
				if err := s.list.Revoke(s.Context(), revocation.Session(c)); err != nil {
					s.Errorf("Revoke: %v", err)
					continue
				}
				s.refuses("a session just revoked, by who did it", c)
				revoked <- c
				all <- c
			}
		})
		reading.Go(func() {
			innocent := login("alice", ago(time.Hour))
			for c := range revoked {
				s.refuses("a session just revoked by another goroutine", c)
				s.accepts("a session that nobody revoked", innocent)
			}
		})
	}
	writing.Wait()
	close(revoked)
	reading.Wait()
	close(all)
	for c := range all {
		s.refuses("a session after all others were revoked", c)
	}
}

// A mark that comes to others of its value, or makes a table grow, must not hide
// them for a moment, be it at once or when it comes back from a log. The readers check
// many times when it is sent, and then now and then: they pause for longer than they
// check, and leave the processor to a list that waits for an answer.
func noSessionIsGoodInBetween(s tester) {
	const readers, often, few = 2, 200, 3
	old := login("alice", ago(3*time.Hour))
	s.revoke(before(ago(2*time.Hour), "subject", "alice"))
	sent, over := make(chan struct{}), make(chan struct{})
	var reading sync.WaitGroup
	defer reading.Wait()
	defer close(over)
	for range readers {
		reading.Go(func() {
			for pause := tick; ; {
				checks := few
				select {
				case <-over:
					return
				case <-sent:
					checks = often
				case <-time.After(pause):
				}
				began := time.Now()
				for range checks {
					s.refuses("a session that has been revoked all along", old)
				}
				pause = max(tick, 4*few*time.Since(began)/time.Duration(checks))
			}
		})
	}
	for i := range 100 {
		m := before(ago(2*time.Hour-time.Duration(i)*time.Second), "subject", "alice")
		m.Except = fmt.Sprint("session ", i%3)
		for range readers {
			sent <- struct{}{}
		}
		s.revoke(m, revocation.Session(login("bob", ago(time.Hour))))
		time.Sleep(tick) // in a bubble the readers wake with the writer
	}
}

// An allower is a list that can undo a mistake.
type allower interface {
	Allow(ctx context.Context, marks ...revocation.Mark) error
}

// Of a list that can't undo nothing is asked.
func whatIsAllowedAgainIsGood(s tester) {
	undo, ok := s.list.(allower)
	if !ok {
		return
	}
	allow := func(marks ...revocation.Mark) {
		s.Helper()
		if err := undo.Allow(s.Context(), marks...); err != nil {
			s.Fatalf("Allow: %v", err)
		}
	}
	alice, bob := login("alice", ago(2*time.Hour)), login("bob", ago(2*time.Hour))
	s.revoke(before(ago(time.Hour), "subject", "alice"), before(ago(time.Hour), "subject", "bob"), revocation.Session(alice))
	allow(revocation.Session(login("carol", ago(time.Hour)))) // nothing to undo
	allow()
	allow(revocation.Subject("alice", 0))
	s.refuses("a session that another mark covers too", alice)
	allow(revocation.Session(alice))
	s.accepts("a session without a mark", alice)
	s.refuses("somebody else", bob)
	s.revoke(before(ago(30*time.Minute), "subject", "alice"))
	s.refuses("a subject that is revoked again", alice)
}

func aBadMarkIsRefusedWithItsWholeCall(s tester) {
	end := time.Now().Add(time.Hour)
	for name, bad := range map[string]revocation.Mark{
		"zero":                  {},
		"no axis":               {Value: "mallory", Until: end},
		"an unknown axis":       {Axis: "planet", Value: "mallory", Until: end},
		"no value":              {Axis: "subject", Until: end},
		"everyone and a value":  {Axis: "everyone", Value: "mallory", Until: end},
		"no end":                {Axis: "subject", Value: "mallory"},
		"a subject too long":    {Axis: "subject", Value: strings.Repeat("m", 256), Until: end},
		"a subject of no text":  {Axis: "subject", Value: "mallory\n", Until: end},
		"a moment far ahead":    {Axis: "subject", Value: "mallory", At: ago(-time.Hour), Until: end.Add(time.Hour)},
		"half a session":        {Axis: "session", Value: "mallory", Except: "mallory", Until: end},
		"half a key":            {Axis: "key", Value: "mallory", Except: "mallory", Until: end},
		"a reason too long":     {Axis: "subject", Value: "mallory", Until: end, Reason: strings.Repeat("r", 201)},
		"a reason of two lines": {Axis: "subject", Value: "mallory", Until: end, Reason: "a\nb"},
		"a name too long":       {Axis: "subject", Value: "mallory", Until: end, By: strings.Repeat("b", 201)},
	} {
		c := login("bob", ago(time.Hour))
		for _, marks := range [][]revocation.Mark{{bad}, {revocation.Session(c), bad}, {bad, revocation.Session(c)}} {
			err := s.list.Revoke(s.Context(), marks...)
			switch {
			case err == nil:
				s.Errorf("%s: no error", name)
			case errors.Is(err, token.ErrInvalid):
				s.Errorf("%s: %v would be read as a bad token", name, err)
			case strings.Contains(err.Error(), "mallory"):
				s.Errorf("%s: the error shows the value", name)
			}
			s.accepts(name+": the good mark of the call", c)
		}
	}
	s.accepts("a session that only bad marks name", login("mallory", ago(2*time.Hour)))
}

// each calls f with a mark of each axis that covers c, on a list of its own
// subject, audience and key.
func (s tester) each(f func(m revocation.Mark, c token.Claims)) {
	for _, axis := range []revocation.Axis{
		"session", "subject", "audience", "key",
		"everyone", // last, as it covers the others
	} {
		c := login("subject-"+string(axis), ago(2*time.Hour))
		c.Audience, c.KeyID = "audience-"+string(axis), "kid-"+string(axis)
		m := before(ago(time.Hour), axis, map[revocation.Axis]string{
			"session":  c.SessionID,
			"subject":  c.Subject,
			"audience": c.Audience,
			"key":      c.KeyID,
		}[axis])
		m.Reason, m.By = "laptop stolen", "carol"
		s.revoke(m)
		f(m, c)
	}
}

func anErrorTellsWhichMarkItWas(s tester) {
	s.each(func(m revocation.Mark, c token.Claims) {
		err := s.list.Check(s.Context(), c)
		if !errors.Is(err, revocation.ErrRevoked) || !errors.Is(err, token.ErrInvalid) {
			s.Fatalf("a mark of %s: %v is not of the family", m.Axis, err)
		}
		var revoked *revocation.RevokedError
		switch {
		case !errors.As(err, &revoked):
			s.Errorf("a mark of %s: got a %T", m.Axis, err)
		case revoked.Mark.Axis != m.Axis || revoked.Mark.Value != m.Value || revoked.Mark.Reason != m.Reason || revoked.Mark.By != m.By:
			s.Errorf("a mark of %s: the error has another one, %v", m.Axis, revoked.Mark)
		}
		if text := err.Error(); !strings.Contains(text, string(m.Axis)) || !strings.Contains(text, m.Reason) {
			s.Errorf("a mark of %s: %q lacks the axis or the reason", m.Axis, text)
		}
	})
}

func noErrorShowsAClaim(s tester) {
	s.each(func(m revocation.Mark, c token.Claims) {
		err := s.list.Check(s.Context(), c)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			text := fmt.Sprintf(verb, err)
			for _, value := range []string{c.ID, c.SessionID, c.Subject, c.Audience, c.KeyID, m.By} {
				if strings.Contains(text, value) {
					s.Errorf("a mark of %s: %s of its error shows %q", m.Axis, verb, value)
				}
			}
		}
	})
}

func aDoneContextMakesNothingGood(s tester) {
	c := login("alice", ago(time.Hour))
	s.revoke(revocation.Session(c))
	for name, ctx := range doneContexts(s.Context()) {
		if err := s.list.Check(ctx, c); err == nil {
			s.Errorf("%s: a revoked session is good", name)
		}
	}
}

func aDoneContextIsNoAcknowledgement(s tester) {
	for name, ctx := range doneContexts(s.Context()) {
		c := login("alice", ago(time.Hour))
		if err := s.list.Revoke(ctx, revocation.Session(c)); err == nil {
			s.refuses(name+": a session whose mark was acknowledged", c)
		}
	}
}

func doneContexts(parent context.Context) map[string]context.Context {
	cancelled, cancel := context.WithCancel(parent)
	cancel()
	late, cancel := context.WithDeadline(parent, time.Now().Add(-time.Second))
	cancel()
	return map[string]context.Context{"cancelled": cancelled, "past its deadline": late}
}
