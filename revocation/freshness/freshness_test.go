package freshness_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/token"
)

// An outage is a copy that has been cut off since a moment.
type outage struct {
	since  time.Time
	denied *revocation.Memory
}

func (o outage) Look(c token.Claims) (time.Duration, error) {
	age := freshness.Never
	if !o.since.IsZero() {
		age = time.Since(o.since)
	}
	return age, o.denied.Check(context.Background(), c)
}

func cutOff() outage { return outage{time.Now(), new(revocation.Memory)} }

func session(id string, began time.Duration) token.Claims {
	now := time.Now()
	return token.Claims{SessionID: id, Subject: "alice", StartedAt: now.Add(-began), EndsAt: now.Add(12 * time.Hour)}
}

func passes(t *testing.T, k revocation.Checker, c token.Claims) bool {
	t.Helper()
	err := k.Check(t.Context(), c)
	var stale *freshness.StaleError
	switch {
	case err == nil:
		return true
	case errors.Is(err, token.ErrInvalid) || !errors.As(err, &stale):
		t.Errorf("got %v, want a StaleError, which is no verdict on the token", err)
	case strings.Contains(err.Error(), c.SessionID) || strings.Contains(err.Error(), c.Subject):
		t.Errorf("%q shows a claim", err)
	}
	return false
}

func nobody(token.Claims, time.Duration) {}

// Each policy at its bound, one nanosecond after it, and much later.
func TestPolicies(t *testing.T) {
	const bound = 20 * time.Second
	type row struct{ before, during bool } // does a session pass that began then?
	for name, tt := range map[string]struct {
		policy                freshness.Policy
		atBound, after, later row
		never                 bool
	}{
		"closed":      {freshness.Closed(bound), row{true, true}, row{false, false}, row{false, false}, false},
		"open":        {freshness.Open(bound, nobody), row{true, true}, row{true, true}, row{true, true}, true},
		"recent":      {freshness.Recent(bound), row{true, true}, row{false, true}, row{false, false}, false},
		"established": {freshness.Established(bound), row{true, true}, row{true, false}, row{true, false}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := session("before", time.Hour)
				from := cutOff()
				k := freshness.NewChecker(from, tt.policy)
				time.Sleep(time.Second)
				during := session("during", 0)
				for _, at := range []struct {
					name string
					age  time.Duration
					want row
				}{{"at the bound", bound, tt.atBound}, {"after it", bound + 1, tt.after}, {"later", time.Hour, tt.later}} {
					time.Sleep(at.age - time.Since(from.since))
					if got := (row{passes(t, k, before), passes(t, k, during)}); got != at.want {
						t.Errorf("%s: got %v, want %v", at.name, got, at.want)
					}
				}
				k = freshness.NewChecker(outage{denied: from.denied}, tt.policy)
				if got := passes(t, k, before); got != tt.never {
					t.Errorf("a copy that was never complete: %v", got)
				}
			})
		})
	}
}

// Recent must let nobody pass who was revoked, anywhere, longer ago than bound.
func TestRecentMissesNothingForLongerThanItsBound(t *testing.T) {
	const bound = 20 * time.Second
	synctest.Test(t, func(t *testing.T) {
		k := freshness.NewChecker(cutOff(), freshness.Recent(bound))
		for began := time.Duration(0); began < time.Minute; began += 7 * time.Second {
			c := session("session-1", began)
			revoked := time.Now() // on another node, unseen here
			time.Sleep(bound + 1)
			if passes(t, k, c) {
				t.Errorf("a session that began %v before it was revoked passes after %v", began, time.Since(revoked))
			}
		}
	})
}

func TestWhatTheCopyHasIsRefused(t *testing.T) {
	for name, p := range map[string]freshness.Policy{
		"closed": freshness.Closed(0), "open": freshness.Open(0, nobody), "recent": freshness.Recent(0), "established": freshness.Established(0), "default": nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			from, c := cutOff(), session("session-1", time.Second)
			if err := from.denied.Revoke(t.Context(), revocation.Session(c)); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := freshness.NewChecker(from, p).Check(t.Context(), c); !errors.Is(err, revocation.ErrRevoked) {
					t.Errorf("%s: %v", name, err)
				}
				time.Sleep(time.Minute)
			}
		})
	}
}

func TestTheDefaultIsAMinuteAndClosed(t *testing.T) {
	for _, p := range []freshness.Policy{nil, freshness.Closed(0)} {
		synctest.Test(t, func(t *testing.T) {
			k, c := freshness.NewChecker(cutOff(), p), session("session-1", time.Hour)
			time.Sleep(time.Minute)
			if !passes(t, k, c) {
				t.Error("refused within a minute")
			}
			time.Sleep(time.Nanosecond)
			if passes(t, k, c) {
				t.Error("accepted after a minute")
			}
		})
	}
}

func TestOpenTellsOfEachSessionBeyondItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		var ages []time.Duration
		k := freshness.NewChecker(cutOff(), freshness.Open(20*time.Second, func(c token.Claims, age time.Duration) {
			told, ages = append(told, c.SessionID), append(ages, age)
		}))
		passes(t, k, session("inside", time.Hour))
		time.Sleep(21 * time.Second)
		passes(t, k, session("one", time.Hour))
		passes(t, k, session("two", time.Hour))
		if strings.Join(told, " ") != "one two" || ages[0] != 21*time.Second {
			t.Errorf("told of %v, at %v", told, ages)
		}
	})
}
