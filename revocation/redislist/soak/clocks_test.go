package soak

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
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

// Clocks of nodes are a minute apart, and the one of Redis is a minute off. The node
// whose clock is ahead is one that the others hear of by its heartbeats alone.
func TestClocksThatDisagree(t *testing.T) {
	const skew = time.Minute
	issuer := newIssuer(t)
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
			beat := func() {
				now := time.Now().Add(off)
				s.Must("HSET", headKey, "f", strconv.FormatInt((skew-off).Milliseconds(), 10), "s", strconv.FormatInt(now.UnixMilli(), 10))
			}
			beat()
			time.Sleep(2 * time.Second) // a heartbeat of each
			for range size(200, 5000) {
				clocks(t, issuer, a, b, skew)
			}
			if a.Age() > 5*time.Second || b.Age() > 5*time.Second {
				t.Errorf("copies are %v and %v old", a.Age(), b.Age())
			}
		})
	}
}

func clocks(t *testing.T, issuer *token.Issuer[string], a, b *redislist.List, skew time.Duration) {
	t.Helper()
	lists := map[string]*redislist.List{"A": a, "B": b}
	fast, slow := at(skew), at(0)
	slow.Subject = fast.Subject
	if err := a.Revoke(t.Context(), revocation.Session(slow), revocation.Subject(fast.Subject, 12*time.Hour)); err != nil {
		t.Fatal(err)
	}
	again := slow
	again.SessionID = newID() // that only the mark of the subject covers
	for name, l := range lists {
		waitFor(t, "the marks on "+name, func() bool { return refused(l, slow) && refused(l, fast) && refused(l, again) })
		// A session that is renewed keeps its start and its id, whatever clock the
		// renewing node has.
		for _, c := range []token.Claims{slow, fast} {
			c.IssuedAt = c.IssuedAt.Add(skew)
			if !refused(l, c) {
				t.Errorf("%s accepts a renewal of a revoked session", name)
			}
		}
	}
	var fresh []token.Claims
	for name, l := range lists { // the same user logs in anew
		tok, s, err := chimw.New(issuer, chimw.Config{Revocation: l}).Issue(t.Context(), fast.Subject, "data")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := issuer.Verifier().Verify(tok); err != nil || refused(a, s.Claims) || refused(b, s.Claims) {
			t.Errorf("a fresh login on %s is refused: %v", name, err)
		}
		fresh = append(fresh, s.Claims)
	}
	// And once more everywhere, by the node whose clock is ahead, and then by another.
	m := revocation.Subject(fast.Subject, 12*time.Hour)
	m.At = time.Now().Add(skew + 2*time.Second)
	for _, m := range []revocation.Mark{m, revocation.Subject(fast.Subject, 12*time.Hour)} {
		if err := b.Revoke(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		for name, l := range lists {
			waitFor(t, "the second mark on "+name, func() bool { return refused(l, fresh[0]) && refused(l, fresh[len(fresh)-1]) })
		}
		_, s, err := chimw.New(issuer, chimw.Config{Revocation: a}).Issue(t.Context(), fast.Subject, "data")
		if err != nil || refused(a, s.Claims) || refused(b, s.Claims) {
			t.Fatalf("a fresh login after the second mark is refused: %v", err)
		}
		fresh = append(fresh, s.Claims)
	}
}
