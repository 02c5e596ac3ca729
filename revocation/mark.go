package revocation

import (
	"fmt"
	"io"
	"log/slog"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/carnet-go/carnet/token"
)

// An Axis says which claim the value of a mark is compared with: "session",
// "subject", "audience", "key" or "everyone".
type Axis string

const (
	axisSession  Axis = "session"  // SessionID: one session, whole
	axisSubject  Axis = "subject"  // Subject: every session of somebody
	axisAudience Axis = "audience" // Audience: every session with one service or tenant
	axisKey      Axis = "key"      // KeyID: every token that one key sealed, whole
	axisEveryone Axis = "everyone" // no claim: every session
)

// axes are all of them, the narrowest first: that one is reported.
var axes = [...]Axis{axisSession, axisSubject, axisAudience, axisKey, axisEveryone}

// of returns the claim that marks of the axis name.
func (a Axis) of(c *token.Claims) (value string, known bool) {
	switch a {
	case axisSession:
		return c.SessionID, true
	case axisSubject:
		return c.Subject, true
	case axisAudience:
		return c.Audience, true
	case axisKey:
		return c.KeyID, true
	case axisEveryone:
		return "", true
	}
	return "", false
}

// whole reports whether a mark of the axis covers its value whatever the time.
// Who holds a stolen key can claim any StartedAt and any session id, so a mark
// of a key must look at neither.
func (a Axis) whole() bool { return a == axisSession || a == axisKey }

const (
	maxLeeway = 5 * time.Minute // the most that token.Config.Leeway can be
	maxAhead  = 5 * time.Minute // clocks further apart can't read each other's tokens
	maxValue  = 255             // bytes, as a subject
	maxNote   = 200             // bytes
)

// A Mark takes something back. It prints as its axis and reason with every fmt
// verb and in slog, so that no claim reaches a log by accident.
type Mark struct {
	Axis  Axis
	Value string // of the claim, compared byte for byte; empty for everyone, and only then

	// Except is the id of a session that this mark spares, as in "log out all
	// others". Empty spares none. Other marks may cover it all the same. A mark
	// of a session or a key can't have one.
	Except string

	// At is the moment before which the covered sessions have started, to the
	// microsecond. Zero means the moment of the call to Revoke. At most five
	// minutes ahead; the mark is in force at once all the same, and a later mark
	// has to lie as far ahead to cover who has logged in since. A list of many
	// nodes moves an At of now by what their clocks differ. Not used for sessions
	// and keys.
	At time.Time

	// Until is when the mark is forgotten. Required. A mark that is forgotten
	// while a session it covers can be alive logs that session in again.
	Until time.Time

	// Reason and By tell the operator why, and who did it; at most 200 bytes of
	// printable text each. The reason is part of a [RevokedError]'s text and so
	// of logs: keep names out of it.
	Reason, By string
}

// Session returns the mark that takes back the session of c: a logout. It holds
// until the session has ended by itself. Claims without an EndsAt give a mark
// that Revoke refuses.
func Session(c token.Claims) Mark {
	m := Mark{Axis: axisSession, Value: c.SessionID}
	if !c.EndsAt.IsZero() {
		m.Until = c.EndsAt.Add(maxLeeway)
	}
	return m
}

// Subject returns the mark that takes back every session that sub has started
// until now: log out everywhere. MaxAge is the longest that a session can live,
// as in [token.Config]; zero means 12 hours there and here, and a negative one
// gives a mark that Revoke refuses. One that is too short logs the longer
// sessions in again when it has passed.
func Subject(sub string, maxAge time.Duration) Mark {
	m := Everyone(maxAge)
	m.Axis, m.Value = axisSubject, sub
	return m
}

// Audience returns the mark that takes back every session with aud, a service or
// a tenant, that has started until now. MaxAge is as for [Subject].
func Audience(aud string, maxAge time.Duration) Mark {
	m := Everyone(maxAge)
	m.Axis, m.Value = axisAudience, aud
	return m
}

// Key returns the mark that takes back every token that the key kid sealed,
// whatever it says. Until is when the last of them is dead, as for a retired key.
func Key(kid string, until time.Time) Mark {
	return Mark{Axis: axisKey, Value: kid, Until: until}
}

// Everyone returns the mark that takes back every session that has started until
// now. MaxAge is as for [Subject].
func Everyone(maxAge time.Duration) Mark {
	if maxAge == 0 {
		maxAge = 12 * time.Hour
	}
	m := Mark{Axis: axisEveryone, At: time.Now().UTC().Truncate(time.Microsecond)}
	if maxAge > 0 {
		// With maxAhead it is long enough even if the caller moves At.
		m.Until = m.At.Add(maxAge + maxAhead + maxLeeway)
	}
	return m
}

// Covers reports whether the mark takes back the session of c. It looks at no
// clock: whether the mark is still in force is for the caller to ask.
//
// A zero At covers a session whenever it started. An axis that this version
// doesn't know covers nothing; [Mark.Normalize] refuses such a mark.
func (m Mark) Covers(c token.Claims) bool {
	value, known := m.Axis.of(&c)
	switch {
	case !known || value != m.Value:
		return false
	case m.Axis.whole():
		return true
	case m.Except != "" && m.Except == c.SessionID:
		return false
	}
	// Nobody can log in and revoke within one microsecond, as minting takes
	// longer. So on one clock "before" covers every session there is, and not the
	// one that starts next.
	return m.At.IsZero() || c.StartedAt.UnixMicro() < m.At.UnixMicro()
}

// Normalize returns the mark as a [List] is to keep it, with At filled and cut
// to the microsecond. It returns an error if the mark makes no sense; the error
// has no value in it. Every List calls it for each mark before it stores any.
func (m Mark) Normalize() (Mark, error) {
	now := time.Now()
	if m.At.IsZero() {
		m.At = now
	}
	m.At = m.At.UTC().Truncate(time.Microsecond)
	m.Until = m.Until.UTC().Round(0)
	err := m.check()
	if err == nil && m.At.After(now.Add(maxAhead)) {
		err = fmt.Errorf("the At of a mark lies more than %v ahead", maxAhead)
	}
	if err != nil {
		return Mark{}, fmt.Errorf("revocation: %w", err)
	}
	return m, nil
}

func (m Mark) check() error {
	_, known := m.Axis.of(&token.Claims{})
	switch {
	case !known:
		return fmt.Errorf("a mark can't have the axis %.20q", m.Axis)
	case m.Axis == axisEveryone && m.Value != "":
		return fmt.Errorf("a mark of everyone takes no value")
	case m.Axis != axisEveryone && m.Value == "":
		return fmt.Errorf("a mark of the axis %s needs a value", m.Axis)
	case m.Axis.whole() && m.Except != "":
		return fmt.Errorf("a mark of the axis %s can't spare a session", m.Axis)
	case !printable(m.Value, maxValue) || !printable(m.Except, maxValue):
		return fmt.Errorf("the values of a mark must be at most %d bytes of printable text", maxValue)
	case !printable(m.Reason, maxNote) || !printable(m.By, maxNote):
		return fmt.Errorf("the reason of a mark and who set it must be at most %d bytes of printable text", maxNote)
	case m.Until.IsZero():
		return fmt.Errorf("a mark needs an Until: when nothing that it covers can be alive any more")
	}
	return nil
}

// printable is what package token asks of names. No claim has other text, and a
// log can be trusted with it.
func printable(s string, most int) bool {
	if len(s) > most || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// Format prints the axis and the reason, whatever the verb.
func (m Mark) Format(f fmt.State, _ rune) { io.WriteString(f, m.summary()) }

// LogValue gives slog the same text.
func (m Mark) LogValue() slog.Value { return slog.StringValue(m.summary()) }

func (m Mark) summary() string {
	return fmt.Sprintf("revocation.Mark(%.20q, %.200q)", string(m.Axis), m.Reason)
}
