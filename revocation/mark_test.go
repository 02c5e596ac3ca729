package revocation_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

func TestCovers(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.UTC)
	mark := func(axis revocation.Axis, value string) revocation.Mark {
		return revocation.Mark{Axis: axis, Value: value, At: at}
	}
	sparing := func(m revocation.Mark, id string) revocation.Mark {
		m.Except = id
		return m
	}
	old, later := login("s", "alice", at.Add(-time.Microsecond)), login("s", "alice", at)
	for name, tt := range map[string]struct {
		mark revocation.Mark
		c    token.Claims
		want bool
	}{
		"the session":                     {mark("session", "s"), old, true},
		"the session, started later":      {mark("session", "s"), later, true},
		"another session":                 {mark("session", "t"), old, false},
		"the subject before":              {mark("subject", "alice"), old, true},
		"the subject in the same tick":    {mark("subject", "alice"), later, false},
		"another subject":                 {mark("subject", "bob"), old, false},
		"the audience before":             {mark("audience", "web"), old, true},
		"the audience later":              {mark("audience", "web"), later, false},
		"another audience":                {mark("audience", "api"), old, false},
		"the key":                         {mark("key", "2026-a"), old, true},
		"the key, started later":          {mark("key", "2026-a"), later, true},
		"another key":                     {mark("key", "2026-b"), old, false},
		"everyone before":                 {mark("everyone", ""), old, true},
		"everyone later":                  {mark("everyone", ""), later, false},
		"the spared session":              {sparing(mark("subject", "alice"), "s"), old, false},
		"another is spared":               {sparing(mark("subject", "alice"), "t"), old, true},
		"a stolen key spares nothing":     {sparing(mark("key", "2026-a"), "s"), old, true},
		"everyone but one":                {sparing(mark("everyone", ""), "s"), old, false},
		"no moment":                       {revocation.Mark{Axis: "subject", Value: "alice"}, later, true},
		"an axis to come":                 {mark("planet", "earth"), old, false},
		"no mark":                         {revocation.Mark{}, token.Claims{}, false},
		"claims without a start":          {mark("subject", "alice"), token.Claims{Subject: "alice"}, true},
		"below the microsecond, the mark": {revocation.Mark{Axis: "everyone", At: at.Add(999)}, later, false},
		"below the microsecond, both":     {mark("everyone", ""), login("s", "alice", at.Add(-1)), true},
		"in another time zone": {revocation.Mark{Axis: "everyone", At: at.In(time.FixedZone("", 3600))},
			login("s", "alice", at.Add(-time.Microsecond).In(time.FixedZone("", -3600))), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.mark.Covers(tt.c); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// noRing is there to ask for the defaults of a policy.
type noRing struct{}

func (noRing) Open(string, token.Binding) (token.Claims, error) {
	return token.Claims{}, token.ErrInvalid
}

// A mark must not be forgotten while the last token that it covers is accepted
// by the most lenient verifier, wherever At is put.
func TestMarksOutliveWhatTheyCover(t *testing.T) {
	const most = 5 * time.Minute // of leeway, and of At ahead
	standard := token.NewVerifier[any](noRing{}, token.Config{Issuer: "i", Audience: "a"}).Config().MaxAge
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for maxAge, lives := range map[time.Duration]time.Duration{0: standard, time.Hour: time.Hour, 90 * 24 * time.Hour: 90 * 24 * time.Hour} {
			for name, m := range map[string]revocation.Mark{
				"Subject": revocation.Subject("alice", maxAge), "Audience": revocation.Audience("web", maxAge), "Everyone": revocation.Everyone(maxAge),
			} {
				if !m.At.Equal(now) {
					t.Errorf("%s is as of %v", name, m.At)
				}
				if last := now.Add(most + lives + most); m.Until.Before(last) || m.Until.After(last.Add(time.Minute)) {
					t.Errorf("%s(%v) holds until %v, want %v", name, maxAge, m.Until, last)
				}
			}
		}
		c := login("s", "alice", now)
		if m := revocation.Session(c); m.Until.Before(c.EndsAt.Add(most)) {
			t.Errorf("Session holds until %v", m.Until)
		}
	})
}

func TestMarksThatWouldHoldForNoTimeAreRefused(t *testing.T) {
	c := login("s", "alice", time.Now())
	c.EndsAt = time.Time{}
	for name, m := range map[string]revocation.Mark{
		"Session without an end": revocation.Session(c),
		"Session of nothing":     revocation.Session(token.Claims{}),
		"Subject":                revocation.Subject("alice", -1),
		"Subject of nobody":      revocation.Subject("", 0),
		"Everyone":               revocation.Everyone(-time.Hour),
	} {
		if got, err := m.Normalize(); err == nil || got != (revocation.Mark{}) {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestNormalize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1234*time.Microsecond + 567)
		now := time.Now()
		m := revocation.Mark{Axis: "subject", Value: "alice", Until: now.Add(time.Hour)}
		got, err := m.Normalize()
		if err != nil {
			t.Fatal(err)
		}
		if want := now.UTC().Truncate(time.Microsecond); got.At != want {
			t.Errorf("At is %v, want %v", got.At, want)
		}
		if !got.Until.Equal(m.Until) {
			t.Errorf("Until moved to %v", got.Until)
		}
		if again, err := got.Normalize(); again != got || err != nil {
			t.Errorf("not the same again: %v", err)
		}

		m.Value, m.Except = strings.Repeat("v", 255), strings.Repeat("e", 255)
		m.Reason, m.By = strings.Repeat("r", 200), strings.Repeat("b", 200)
		m.At = now.Add(5 * time.Minute)
		if _, err := m.Normalize(); err != nil {
			t.Errorf("the most of all: %v", err)
		}
		m.At = m.At.Add(time.Microsecond)
		if _, err := m.Normalize(); err == nil {
			t.Error("At may lie further ahead than clocks do")
		}
	})
}

func TestRevokedErrorSaysWhyAndNotWho(t *testing.T) {
	m := revocation.Subject("alice", 0)
	for reason, want := range map[string]string{
		"":              "invalid token: revoked (subject)",
		"laptop stolen": "invalid token: revoked (subject): laptop stolen",
	} {
		m.Reason = reason
		var err error = &revocation.RevokedError{Mark: m}
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		if !errors.Is(err, revocation.ErrRevoked) || !errors.Is(err, token.ErrInvalid) {
			t.Error("it is not of the family")
		}
	}
}

func TestMarksPrintNoValue(t *testing.T) {
	m := revocation.Subject("alice", 0)
	m.Except, m.Reason, m.By = "her-session", "laptop\nstolen", "carol"
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("revoked", "mark", m)
	outs := []string{logged.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		outs = append(outs, fmt.Sprintf(verb, m), fmt.Sprintf(verb, &m), fmt.Sprintf(verb, []revocation.Mark{m}))
	}
	for _, out := range outs {
		if !strings.Contains(out, "subject") || !strings.Contains(out, `laptop`) {
			t.Errorf("%q lacks axis or reason", out)
		}
		for _, secret := range []string{"alice", "her-session", "carol", "laptop\n"} {
			if strings.Contains(out, secret) {
				t.Errorf("%q has %q in it", out, secret)
			}
		}
	}
}
