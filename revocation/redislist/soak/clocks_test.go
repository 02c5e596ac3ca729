package soak

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// at returns the claims of a login on a node whose clock is off by that much.
func at(off time.Duration) token.Claims {
	c := login()
	c.Subject = newID()
	c.StartedAt = c.StartedAt.Add(off - time.Millisecond) // minting takes longer than a microsecond
	return c
}

// Clocks of nodes are a minute apart, and the one of Redis is a minute off. Marks
// of sessions and keys compare no clocks. A mark of a subject is set ahead by what
// the clocks differ by, as package revocation says.
func TestClocksThatDisagree(t *testing.T) {
	const skew = time.Minute
	for _, off := range []time.Duration{-skew, skew} {
		t.Run("Redis by "+off.String(), func(t *testing.T) {
			s := redistest.Skewed(t, off)
			seconds, _, _ := strings.Cut(s.Must("TIME"), "\n")
			unix, _ := strconv.ParseInt(seconds, 10, 64)
			if d := time.Until(time.Unix(unix, 0)) - off; d.Abs() > 5*time.Second {
				t.Fatalf("the clock of Redis is off by %v", d+off)
			}
			a := open(t, connect(t, s.Addr), redislist.Config{})
			b := open(t, connect(t, s.Addr), redislist.Config{})
			ready(t, a, b)
			for range size(200, 5000) {
				clocks(t, a, b, skew)
			}
			if a.Age() > 5*time.Second || b.Age() > 5*time.Second {
				t.Errorf("copies are %v and %v old", a.Age(), b.Age())
			}
		})
	}
}

func clocks(t *testing.T, a, b *redislist.List, skew time.Duration) {
	t.Helper()
	fast, slow := at(skew), at(0)
	subject := revocation.Subject(fast.Subject, 12*time.Hour)
	subject.At = subject.At.Add(skew)
	subject.Until = subject.Until.Add(skew)
	if err := a.Revoke(t.Context(), revocation.Session(slow), subject); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*redislist.List{"A": a, "B": b} {
		waitFor(t, "the marks on "+name, func() bool { return refused(l, slow) && refused(l, fast) })
		// A session that is renewed keeps its start and its id, whatever clock the
		// renewing node has.
		for _, c := range []token.Claims{slow, fast} {
			c.IssuedAt = c.IssuedAt.Add(skew)
			if !refused(l, c) {
				t.Errorf("%s accepts a renewal of a revoked session", name)
			}
		}
		again := slow
		again.SessionID = newID() // the same user logs in anew, on any node
		for _, off := range []time.Duration{-skew, 0, skew} {
			if again.StartedAt = time.Now().Add(off); refused(l, again) {
				t.Errorf("%s refuses a fresh login of a node whose clock is off by %v", name, off)
			}
		}
	}
}
