package token_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// isIdle reports whether the reason is that a session was not used, rather than
// that it has ended.
func isIdle(err error) bool {
	var e interface{ Reason() string }
	return errors.As(err, &e) && e.Reason() == "idle" && errors.Is(err, token.ErrExpired)
}

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * hour
)

// month allows what remember-me needs.
var month = token.Config{Issuer: "example.com", Audience: "web", MaxAge: 30 * day}

// kinds are sessions with two times each.
var kinds = map[string]struct{ idle, maxAge time.Duration }{
	"default":      {30 * minute, 12 * hour},
	"bank":         {5 * minute, hour},
	"remember me":  {7 * day, 30 * day},
	"fixed":        {8 * hour, 8 * hour},
	"fixed, short": {2 * hour, hour}, // no renewal: the end comes first
	"a second":     {time.Second, 2 * time.Second},
}

// One clock: what is minted at 0 and judged after each time.
func TestIdleAndAbsoluteToTheSecond(t *testing.T) {
	ring := newRing(t, keys.JWT)
	const leeway = minute
	for name, k := range kinds {
		life := min(k.idle, k.maxAge)
		for _, tt := range []struct {
			name string
			at   time.Duration
			good bool
		}{
			{"at once", 0, true},
			{"in the last moment", life - 1, true},
			{"in the last moment of the leeway", life + leeway - 1, true},
			{"at the end", life + leeway, false},
			{"long after", 31 * day, false},
		} {
			t.Run(name+" "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					issuer := token.NewIssuer[user](ring, month).Lasting(k.idle, k.maxAge)
					tok, s := issue(t, issuer, user{})
					if s.EndsAt.Sub(s.StartedAt) != k.maxAge || s.ExpiresAt.Sub(s.IssuedAt) != life {
						t.Errorf("it lives %v of %v", s.ExpiresAt.Sub(s.IssuedAt), s.EndsAt.Sub(s.StartedAt))
					}
					time.Sleep(tt.at)
					_, err := issuer.Verifier().Verify(tok)
					if (err == nil) != tt.good {
						t.Errorf("got %v", err)
					}
					if !tt.good && (!errors.Is(err, token.ErrExpired) || isIdle(err) != (k.idle < k.maxAge)) {
						t.Errorf("the reason is %v", err)
					}
				})
			})
		}
	}
}

// Two clocks: a session of one node, judged by another that is ahead or behind.
func TestClocksThatDisagree(t *testing.T) {
	const life, end = 30 * minute, 12 * hour
	for _, tt := range []struct {
		name         string
		ahead        time.Duration // the judge's clock, of the issuer's
		leeway       time.Duration // 0 is a minute
		first, until time.Duration // by the issuer's clock; it is good from first to just before until
	}{
		{"one clock", 0, 0, 0, life + minute},
		{"ahead by less than the leeway", 59 * time.Second, 0, 0, life + time.Second},
		{"ahead by the leeway", minute, 0, 0, life},
		{"ahead by more", 90 * time.Second, 0, 0, life - 30*time.Second},
		{"behind by less than the leeway", -59 * time.Second, 0, 0, life + minute + 59*time.Second},
		{"behind by the leeway", -minute, 0, 0, life + 2*minute},
		{"behind by more", -90 * time.Second, 0, 30 * time.Second, life + 2*minute + 30*time.Second},
		{"ahead, no leeway", time.Second, -1, 0, life - time.Second},
		{"behind, no leeway", -time.Second, -1, time.Second, life + time.Second},
		{"ahead by five minutes, as much leeway", 5 * minute, 5 * minute, 0, life},
		{"behind by five minutes, as much leeway", -5 * minute, 5 * minute, 0, life + 10*minute},
	} {
		for kind, idle := range map[string]bool{"idle": true, "absolute": false} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				judge := func(after time.Duration) error {
					// The bubble's clock is the judge's: it starts at genesis.
					c := claims(genesis.Add(10*minute - tt.ahead))
					if !idle {
						c.EndsAt = c.ExpiresAt
					}
					conf := web
					conf.Leeway = tt.leeway
					var err error
					synctest.Test(t, func(t *testing.T) {
						time.Sleep(10*minute + after)
						_, err = token.NewVerifier[user](fixed(c), conf).Verify("a token")
					})
					return err
				}
				if tt.first > 0 {
					if err := judge(tt.first - 1); !errors.Is(err, token.ErrNotYet) {
						t.Errorf("too early: %v", err)
					}
				}
				for _, after := range []time.Duration{tt.first, tt.until - 1} {
					if err := judge(after); err != nil {
						t.Errorf("after %v: %v", after, err)
					}
				}
				for _, after := range []time.Duration{tt.until, end} {
					if err := judge(after); !errors.Is(err, token.ErrExpired) || isIdle(err) != idle {
						t.Errorf("after %v: %v", after, err)
					}
				}
			})
		}
	}
}

// Whoever renews a session, it keeps its own two times.
func TestASessionKeepsItsTimes(t *testing.T) {
	ring := newRing(t, keys.JWT)
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer := token.NewIssuer[user](ring, month)
				_, s := issue(t, issuer.Lasting(k.idle, k.maxAge), user{})
				end := s.StartedAt.Add(k.maxAge)
				for range 5 {
					time.Sleep(k.idle / 2)
					if !time.Now().Before(end) {
						break
					}
					_, next, err := issuer.Renew(s)
					if err != nil {
						t.Fatal(err)
					}
					want := next.IssuedAt.Add(k.idle)
					if want.After(end) {
						want = end
					}
					if s = next; !s.ExpiresAt.Equal(want) || !s.EndsAt.Equal(end) {
						t.Fatalf("expires at %v, want %v", s.ExpiresAt, want)
					}
				}
			})
		})
	}
}

// The moment depends on the token, within bounds that do not.
func TestDueBetweenThreeEighthsAndHalf(t *testing.T) {
	ring := newRing(t, keys.JWT)
	issuer := token.NewIssuer[user](ring, web)
	due := func(id string, life, end, after time.Duration) (is bool) {
		synctest.Test(t, func(t *testing.T) {
			c := claims(genesis)
			c.ID, c.ExpiresAt, c.EndsAt = id, genesis.Add(life), genesis.Add(end)
			time.Sleep(after)
			is = issuer.Due(&token.Session[user]{Claims: c})
		})
		return is
	}
	const life = 64 * minute // a step is 1/8 of a minute
	early := 0
	for _, first := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		id := string(first) + strings.Repeat("i", 21)
		if due(id, life, 12*hour, life*3/8) {
			t.Errorf("%c: due before 3/8 of the life", first)
		}
		if !due(id, life, 12*hour, life/2+1) {
			t.Errorf("%c: not due after half of the life", first)
		}
		if due(id, life, 12*hour, life*7/16) {
			early++
		}
	}
	if early < 16 || early > 48 {
		t.Errorf("%d of 64 come in the first half of the time", early)
	}
	id := strings.Repeat("i", 22)
	for name, tt := range map[string]struct {
		life, end, after time.Duration
		want             bool
	}{
		"an idle session, within the leeway":   {life, 12 * hour, life + minute, true},
		"a session without renewal":            {life, life, life - 1, false},
		"the last token of a session":          {life, life, life / 2, false},
		"a little to gain":                     {life, life + time.Second, life - 1, true},
		"a session that has ended":             {life, life + time.Second, life + time.Second, false},
		"just before the end":                  {life, life + time.Second, life + time.Second - 1, true},
		"a token of the future, within leeway": {life, 12 * hour, 0, false},
	} {
		if got := due(id, tt.life, tt.end, tt.after); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A key that mints no more is left at the next use, and only by a node that has
// heard of its successor: otherwise two nodes would renew in turn for ever.
func TestDueAtOnceUnderARetiredKey(t *testing.T) {
	for _, f := range formattest.Usable() {
		old, err := keys.NewSet(f, keys.Policy{})
		if err != nil {
			t.Fatal(err)
		}
		next, err := old.Rotate(f, true)
		if err != nil {
			t.Fatal(err)
		}
		issuers := map[string]*token.Issuer[user]{}
		for name, set := range map[string]*keys.Set{"old": old, "new": next} {
			ring, err := set.Ring()
			if err != nil {
				t.Fatal(err)
			}
			issuers[name] = token.NewIssuer[user](ring, web)
		}
		for name, tt := range map[string]struct {
			minted, judged string
			want           bool
		}{
			"before the rotation":                {"old", "old", false},
			"of the old key, after the rotation": {"old", "new", true},
			"of the new key, after the rotation": {"new", "new", false},
			"of the new key, where it is ahead":  {"new", "old", false},
		} {
			tok, _ := issue(t, issuers[tt.minted], user{})
			s, err := issuers[tt.judged].Verifier().Verify(tok)
			if err != nil {
				t.Fatal(err)
			}
			if got := issuers[tt.judged].Due(s); got != tt.want {
				t.Errorf("%s, %s: %v", f, name, got)
			}
			if s.EndsAt = time.Now(); issuers[tt.judged].Due(s) {
				t.Errorf("%s, %s: due after the end", f, name)
			}
		}
	}
}

func TestFreshToTheSecond(t *testing.T) {
	const d = 5 * minute
	for _, tt := range []struct {
		name  string
		again time.Duration // the second proof, after the login; 0 is none
		after time.Duration // the question, after the login
		want  bool
	}{
		{"at once", 0, 0, true},
		{"just within", 0, d - 1, true},
		{"at the limit", 0, d, false},
		{"proved again", hour, hour, true},
		{"proved again, just within", hour, hour + d - 1, true},
		{"proved again, at the limit", hour, hour + d, false},
		{"the clock of the login is ahead", 0, -minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(10 * minute)
				c := claims(time.Now())
				if tt.again > 0 {
					c.AuthenticatedAt = c.StartedAt.Add(tt.again)
				}
				if tt.after < 0 {
					c.StartedAt = c.StartedAt.Add(-tt.after)
				}
				time.Sleep(max(tt.after, 0))
				if got := c.Fresh(d); got != tt.want {
					t.Errorf("fresh is %v", got)
				}
			})
		})
	}
}

func TestAuthenticatedInTheFutureIsUnusable(t *testing.T) {
	for after, want := range map[time.Duration]error{
		-hour: nil, 0: nil, minute: nil, minute + time.Second: nil, minute + 2*time.Second: token.ErrClaims, hour: token.ErrClaims,
	} {
		c := claims(time.Now())
		c.AuthenticatedAt = c.IssuedAt.Add(after)
		if _, err := token.NewVerifier[user](fixed(c), web).Verify("a token"); !errors.Is(err, want) {
			t.Errorf("%v after the issue: %v", after, err)
		}
	}
}

func TestLastingMistakesPanic(t *testing.T) {
	issuer := token.NewIssuer[user](newRing(t, keys.JWT), web)
	for name, times := range map[string][2]time.Duration{
		"longer than the policy": {hour, 13 * hour},
		"no idle time":           {0, hour},
		"half a second":          {time.Second / 2, hour},
		"no age":                 {hour, 0},
		"negative":               {hour, -hour},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if msg := fmt.Sprint(recover()); !strings.HasPrefix(msg, "token: ") {
					t.Errorf("recovered %v", msg)
				}
			}()
			issuer.Lasting(times[0], times[1])
		})
	}
}
