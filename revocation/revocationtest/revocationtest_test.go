package revocationtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
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

// naive is a correct list. Broken ones are made of it.
type naive struct {
	mu    sync.Mutex
	marks []revocation.Mark
	late  []revocation.Mark // for a broken one: acknowledged, stored with the next call
}

func (l *naive) Check(_ context.Context, c token.Claims) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.marks {
		m := &l.marks[i]
		if m.Axis == "session" && m.Value != c.SessionID {
			continue // Covers would say the same, and there are thousands
		}
		if time.Now().Before(m.Until) && m.Covers(c) {
			return &revocation.RevokedError{Mark: *m}
		}
	}
	return nil
}

func (l *naive) Revoke(_ context.Context, marks ...revocation.Mark) error {
	ready, err := normalized(marks)
	if err == nil {
		l.keep(ready...)
	}
	return err
}

func (l *naive) keep(marks ...revocation.Mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = append(l.marks, marks...)
}

func (l *naive) Allow(_ context.Context, marks ...revocation.Mark) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = slices.DeleteFunc(l.marks, func(o revocation.Mark) bool {
		return slices.ContainsFunc(marks, func(m revocation.Mark) bool { return m.Axis == o.Axis && m.Value == o.Value })
	})
	return nil
}

func normalized(marks []revocation.Mark) ([]revocation.Mark, error) {
	ready := make([]revocation.Mark, len(marks))
	for i, m := range marks {
		var err error
		if ready[i], err = m.Normalize(); err != nil {
			return nil, err
		}
	}
	return ready, nil
}

// altered is a naive list with one method or both replaced.
type altered struct {
	*naive
	check  func(l *naive, ctx context.Context, c token.Claims) error
	revoke func(l *naive, ctx context.Context, marks []revocation.Mark) error
	allow  func(l *naive, marks []revocation.Mark)
}

func (l altered) Check(ctx context.Context, c token.Claims) error {
	if l.check != nil {
		return l.check(l.naive, ctx, c)
	}
	return l.naive.Check(ctx, c)
}

func (l altered) Revoke(ctx context.Context, marks ...revocation.Mark) error {
	if l.revoke != nil {
		return l.revoke(l.naive, ctx, marks)
	}
	return l.naive.Revoke(ctx, marks...)
}

func (l altered) Allow(ctx context.Context, marks ...revocation.Mark) error {
	if l.allow != nil {
		l.naive.mu.Lock()
		defer l.naive.mu.Unlock()
		l.allow(l.naive, marks)
		return nil
	}
	return l.naive.Allow(ctx, marks...)
}

// reads breaks a list by the claims it looks at.
func reads(change func(c *token.Claims)) altered {
	return altered{check: func(l *naive, ctx context.Context, c token.Claims) error {
		change(&c)
		return l.Check(ctx, c)
	}}
}

// stores breaks a list by the marks it keeps.
func stores(change func(m *revocation.Mark)) altered {
	return altered{revoke: func(l *naive, _ context.Context, marks []revocation.Mark) error {
		ready, err := normalized(marks)
		for i := range ready {
			change(&ready[i])
		}
		l.keep(ready...)
		return err
	}}
}

// answers breaks a list by what it says of a revoked session.
func answers(change func(ctx context.Context, c token.Claims, err error) error) altered {
	return altered{check: func(l *naive, ctx context.Context, c token.Claims) error {
		err := l.Check(ctx, c)
		if err != nil {
			return change(ctx, c, err)
		}
		return nil
	}}
}

// replaces breaks a list that keeps one mark per value.
func replaces(better func(old, m revocation.Mark) bool) altered {
	return altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
		ready, err := normalized(marks)
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, m := range ready {
			i := slices.IndexFunc(l.marks, func(o revocation.Mark) bool { return o.Axis == m.Axis && o.Value == m.Value })
			if i < 0 {
				l.marks = append(l.marks, m)
			} else if better(l.marks[i], m) {
				l.marks[i] = m
			}
		}
		return err
	}}
}

// hides breaks a list that has to wait for a mark: when it is there, the others are
// away for a moment.
func hides(after time.Duration) altered {
	return altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
		time.Sleep(after)
		l.mu.Lock()
		others := l.marks
		l.marks = nil
		l.mu.Unlock()
		time.Sleep(50 * time.Microsecond)
		l.keep(others...)
		return l.Revoke(ctx, marks...)
	}}
}

// leaky prints a value of the claims.
type leaky struct {
	error
	value string
}

func (e leaky) Error() string { return e.error.Error() + " " + e.value }
func (e leaky) Unwrap() error { return e.error }

// broken are lists with one fault each, and the promise that must notice it.
var broken = map[string]struct {
	list    altered
	promise string
}{
	"compares IssuedAt": {
		reads(func(c *token.Claims) { c.StartedAt = c.IssuedAt }), "a tab that polls does not escape"},
	"compares the token's id": {
		reads(func(c *token.Claims) { c.SessionID = c.ID }), "a session is taken back alone"},
	"compares whole seconds": {
		reads(func(c *token.Claims) { c.StartedAt = c.StartedAt.Truncate(time.Second) }), "starts are told apart to the microsecond"},
	"compares milliseconds": {
		stores(func(m *revocation.Mark) { m.At = m.At.Truncate(time.Millisecond) }), "starts are told apart to the microsecond"},
	"covers its own moment": {
		reads(func(c *token.Claims) { c.StartedAt = c.StartedAt.Add(-time.Microsecond) }), "a new login works at once"},
	"folds case": {
		reads(func(c *token.Claims) { c.Subject = strings.ToLower(c.Subject) }), "values are compared byte for byte"},
	"knows no audiences": {
		reads(func(c *token.Claims) { c.Audience = "?" }), "an audience is taken back"},
	"knows no keys": {
		reads(func(c *token.Claims) { c.KeyID = "?" }), "a key is taken back whole"},
	"knows no subjects": {
		reads(func(c *token.Claims) { c.Subject = "?" }), "a subject is logged out everywhere"},

	"forgets Except": {
		stores(func(m *revocation.Mark) { m.Except = "" }), "one session can be spared"},
	"takes no moment for 1970": {
		altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
			marks = slices.Clone(marks)
			for i := range marks {
				if marks[i].At.IsZero() {
					marks[i].At = time.Unix(0, 0)
				}
			}
			return l.Revoke(ctx, marks...)
		}}, "a mark without a moment means now"},
	"never forgets": {
		stores(func(m *revocation.Mark) { m.Until = m.Until.AddDate(1, 0, 0) }), "a mark holds until its end"},
	"forgets at once": {
		stores(func(m *revocation.Mark) { m.Until = m.Until.Add(-time.Second) }), "a mark holds until its end"},
	"forgets By": {
		stores(func(m *revocation.Mark) { m.By = "" }), "an error tells which mark it was"},
	"keeps the last of two": {
		replaces(func(_, _ revocation.Mark) bool { return true }), "neither order nor repetition matters"},
	"keeps the latest of two": {
		replaces(func(old, m revocation.Mark) bool { return m.At.After(old.At) }), "a spared session is covered by other marks"},
	"keeps the longest of two": {
		replaces(func(old, m revocation.Mark) bool { return m.Until.After(old.Until) }), "a mark outlives a later one"},
	"merges what is spared": {
		altered{revoke: func(l *naive, _ context.Context, marks []revocation.Mark) error {
			ready, err := normalized(marks)
			l.mu.Lock()
			defer l.mu.Unlock()
			for _, m := range ready {
				for i, o := range l.marks {
					if o.Axis == m.Axis && o.Value == m.Value {
						l.marks[i].Except, m.Except = "", ""
					}
				}
				l.marks = append(l.marks, m)
			}
			return err
		}}, "a spared session is covered by other marks"},

	"evicts": {
		altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
			err := l.Revoke(ctx, marks...)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.marks = l.marks[max(0, len(l.marks)-1000):]
			return err
		}}, "no mark makes room for another"},
	"acknowledges too early": {
		altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
			ready, err := normalized(marks)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.marks = append(l.marks, l.late...)
			l.late = ready
			return err
		}}, "what was acknowledged is seen"},
	"has a writer per call": {
		altered{revoke: func(l *naive, _ context.Context, marks []revocation.Mark) error {
			ready, err := normalized(marks)
			l.mu.Lock()
			all := slices.Clone(l.marks)
			l.mu.Unlock()
			time.Sleep(time.Millisecond) // another call reads the same
			l.mu.Lock()
			defer l.mu.Unlock()
			l.marks = append(all, ready...)
			return err
		}}, "what was acknowledged is seen"},
	"hides the others while one comes": {
		hides(0), "no session is good in between"},
	"hides the others when one comes back from a log": {
		hides(100 * time.Microsecond), "no session is good in between"},
	"allows too little": {
		altered{allow: func(*naive, []revocation.Mark) {}}, "what is allowed again is good"},
	"allows everybody": {
		altered{allow: func(l *naive, _ []revocation.Mark) { l.marks = nil }}, "what is allowed again is good"},
	"stores the marks before a bad one": {
		altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
			for _, m := range marks {
				if err := l.Revoke(ctx, m); err != nil {
					return err
				}
			}
			return nil
		}}, "a bad mark is refused with its whole call"},
	"takes any mark": {
		altered{revoke: func(l *naive, _ context.Context, marks []revocation.Mark) error {
			l.keep(marks...)
			return nil
		}}, "a bad mark is refused with its whole call"},
	"calls a bad mark a bad token": {
		altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
			if l.Revoke(ctx, marks...) != nil {
				return token.ErrInvalid
			}
			return nil
		}}, "a bad mark is refused with its whole call"},
	"calls a past mark bad": {
		altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
			for _, m := range marks {
				if !m.Until.IsZero() && m.Until.Before(time.Now()) {
					return errors.New("it is over")
				}
			}
			return l.Revoke(ctx, marks...)
		}}, "a mark that is over is no error"},

	"answers nil when ctx is cancelled": {
		answers(func(ctx context.Context, _ token.Claims, err error) error {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}), "a done context makes nothing good"},
	"acknowledges when ctx is cancelled": {
		altered{revoke: func(l *naive, ctx context.Context, marks []revocation.Mark) error {
			if ctx.Err() != nil {
				return nil
			}
			return l.Revoke(ctx, marks...)
		}}, "a done context is no acknowledgement"},
	"leaves the family": {
		answers(func(context.Context, token.Claims, error) error { return errors.New("revoked") }), "an error tells which mark it was"},
	"gives no reason": {
		answers(func(context.Context, token.Claims, error) error { return revocation.ErrRevoked }), "an error tells which mark it was"},
	"shows the session id": {
		answers(func(_ context.Context, c token.Claims, err error) error { return leaky{err, c.SessionID} }), "no error shows a claim"},
	"shows the subject": {
		answers(func(_ context.Context, c token.Claims, err error) error { return leaky{err, c.Subject} }), "no error shows a claim"},
}

func TestACorrectListPasses(t *testing.T) {
	t.Run("in a bubble", func(t *testing.T) {
		revocationtest.TestList(t, func(*testing.T) revocation.List { return &naive{} }, synctest.Test)
	})
	t.Run("in real time", func(t *testing.T) {
		revocationtest.TestList(t, func(*testing.T) revocation.List { return &naive{} }, nil)
	})
}

// In a process of its own TestBrokenListsFail runs the broken lists, whose
// failures would otherwise be its own.
const inside = "REVOCATIONTEST_BROKEN"

func TestBrokenListsFail(t *testing.T) {
	if os.Getenv(inside) != "" {
		for name, b := range broken {
			t.Run(name, func(t *testing.T) {
				open := func(*testing.T) revocation.List { return altered{&naive{}, b.list.check, b.list.revoke, b.list.allow} }
				revocationtest.TestList(t, open, synctest.Test)
			})
		}
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBrokenListsFail$")
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the broken lists: %v", err)
	}
	for name, b := range broken {
		test := strings.ReplaceAll("TestBrokenListsFail/"+name+"/"+b.promise, " ", "_")
		if !strings.Contains(string(out), "--- FAIL: "+test+" (") {
			t.Errorf("a list that %s passes %q", name, b.promise)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
