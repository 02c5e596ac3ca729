package revocationtest

import (
	"strings"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

var promises = []struct {
	name string
	test func(s tester)
}{
	// What a mark covers.
	{"an empty list accepts", anEmptyListAccepts},
	{"a session is taken back alone", aSessionIsTakenBackAlone},
	{"a session is taken back whole", aSessionIsTakenBackWhole},
	{"a subject is logged out everywhere", aSubjectIsLoggedOutEverywhere},
	{"an audience is taken back", anAudienceIsTakenBack},
	{"a key is taken back whole", aKeyIsTakenBackWhole},
	{"everyone is logged out", everyoneIsLoggedOut},
	{"values are compared byte for byte", valuesAreComparedByteForByte},
	{"axes do not mix", axesDoNotMix},
	{"a tab that polls does not escape", aTabThatPollsDoesNotEscape},
	{"a new login works at once", aNewLoginWorksAtOnce},
	{"starts are told apart to the microsecond", startsAreToldApart},
	{"a mark without a moment means now", aMarkWithoutAMomentMeansNow},
	{"one session can be spared", oneSessionCanBeSpared},
	{"a spared session is covered by other marks", aSparedSessionIsCoveredByOtherMarks},

	// What becomes of it.
	{"neither order nor repetition matters", neitherOrderNorRepetitionMatters},
	{"a mark holds until its end", aMarkHoldsUntilItsEnd},
	{"a mark outlives a later one", aMarkOutlivesALaterOne},
	{"a mark that is over is no error", aMarkThatIsOverIsNoError},
	{"no mark makes room for another", noMarkMakesRoomForAnother},
	{"what was acknowledged is seen", whatWasAcknowledgedIsSeen},
	{"no session is good in between", noSessionIsGoodInBetween},
	{"what is allowed again is good", whatIsAllowedAgainIsGood},

	// What the errors say.
	{"a bad mark is refused with its whole call", aBadMarkIsRefusedWithItsWholeCall},
	{"an error tells which mark it was", anErrorTellsWhichMarkItWas},
	{"no error shows a claim", noErrorShowsAClaim},
	{"a done context makes nothing good", aDoneContextMakesNothingGood},
	{"a done context is no acknowledgement", aDoneContextIsNoAcknowledgement},
}

func anEmptyListAccepts(s tester) {
	s.accepts("a session", login("alice", ago(time.Hour)))
	s.revoke()
	s.accepts("a session after a call without marks", login("alice", ago(time.Hour)))
}

func aSessionIsTakenBackAlone(s tester) {
	c := login("alice", ago(time.Hour))
	s.revoke(revocation.Session(c))
	s.refuses("the session", c)
	s.accepts("another session of the same subject", login("alice", c.StartedAt))
}

func aSessionIsTakenBackWhole(s tester) {
	c := login("alice", ago(time.Hour))
	s.revoke(before(ago(2*time.Hour), "session", c.SessionID))
	s.refuses("a session that began after the mark's At", c)
	s.refuses("a renewal that was under way during the logout", renewed(c))
}

func aSubjectIsLoggedOutEverywhere(s tester) {
	s.revoke(before(ago(time.Hour), "subject", "alice"))
	s.refuses("a session", login("alice", ago(2*time.Hour)))
	s.refuses("another session of hers", login("alice", ago(3*time.Hour)))
	s.accepts("a session of somebody else", login("bob", ago(2*time.Hour)))

	s.revoke(revocation.Subject("carol", 0))
	s.refuses("a session before Subject", login("carol", ago(time.Second)))
}

func anAudienceIsTakenBack(s tester) {
	s.revoke(before(ago(time.Hour), "audience", "web"))
	old := login("alice", ago(2*time.Hour))
	s.refuses("an older session of the audience", old)
	s.accepts("a later session of the audience", login("alice", ago(time.Minute)))
	s.accepts("an older session of another audience", with(old, func(c *token.Claims) { c.Audience = "api" }))
}

func aKeyIsTakenBackWhole(s tester) {
	s.revoke(before(ago(time.Hour), "key", "2026-a"))
	c := login("alice", ago(2*time.Hour))
	s.refuses("an older token of the key", c)
	s.refuses("a token that a thief of the key dates ahead", with(c, func(c *token.Claims) { c.StartedAt = ago(-time.Minute) }))
	s.accepts("a token of another key", with(c, func(c *token.Claims) { c.KeyID = "2026-b" }))
}

func everyoneIsLoggedOut(s tester) {
	s.revoke(before(ago(time.Hour), "everyone", ""))
	s.refuses("an older session", login("alice", ago(2*time.Hour)))
	s.refuses("one of somebody else", login("bob", ago(2*time.Hour)))
	s.accepts("a later session", login("alice", ago(time.Minute)))

	s.revoke(revocation.Everyone(0))
	s.refuses("a session before Everyone", login("alice", ago(time.Second)))
}

func valuesAreComparedByteForByte(s tester) {
	names := []string{
		"alice", "Alice", "alic", "alice2", "alice:web", "*", "?", "a b", "{alice}", `"alice"`, "0", "-1",
		"jos\u00e9", "jose\u0301", strings.Repeat("a", 254), strings.Repeat("a", 255),
	}
	for i, name := range names {
		s.revoke(before(ago(time.Hour), "subject", name))
		for _, done := range names[:i+1] {
			s.refuses(done+" after "+name, login(done, ago(2*time.Hour)))
		}
		for _, other := range names[i+1:] {
			s.accepts(other+" after "+name, login(other, ago(2*time.Hour)))
		}
	}
}

func axesDoNotMix(s tester) {
	c := login("alice", ago(2*time.Hour))
	for _, axis := range []revocation.Axis{
		"session", "subject", "audience", "key",
	} {
		for _, value := range []string{c.SessionID, c.Subject, c.Audience, c.KeyID} {
			if m := before(ago(time.Hour), axis, value); !m.Covers(c) {
				s.revoke(m)
			}
		}
	}
	s.accepts("a session whose claims were all named on other axes", c)
}

// Each poll renews the token. A mark that is compared with IssuedAt would have to
// be newer than the last poll.
func aTabThatPollsDoesNotEscape(s tester) {
	c := login("alice", ago(2*time.Hour))
	s.revoke(before(ago(time.Hour), "subject", "alice"))
	s.refuses("the token of the last poll", renewed(c))

	c = login("bob", ago(2*time.Hour))
	c.Audience = "api"
	s.revoke(before(ago(time.Hour), "audience", "api"))
	s.refuses("the token of the last poll, by audience", renewed(c))
}

func aNewLoginWorksAtOnce(s tester) {
	s.revoke(revocation.Subject("alice", 12*time.Hour), revocation.Everyone(12*time.Hour))
	c := login("alice", ago(0))
	s.accepts("the login after the logout", c)
	s.accepts("its renewal", renewed(c))
}

func startsAreToldApart(s tester) {
	at := ago(time.Hour).Truncate(time.Second).Add(123_456 * tick)
	s.revoke(before(at.Add(tick-1), "subject", "alice"))
	s.refuses("a tick before", login("alice", at.Add(-tick)))
	s.accepts("the same tick", login("alice", at))
	s.accepts("a tick after", login("alice", at.Add(tick)))
}

func aMarkWithoutAMomentMeansNow(s tester) {
	old := login("alice", ago(tick))
	s.revoke(revocation.Mark{Axis: "subject", Value: "alice", Until: time.Now().Add(time.Hour)})
	s.refuses("a session before", old)
	s.accepts("a session after", login("alice", ago(0)))
}

func oneSessionCanBeSpared(s tester) {
	for _, m := range []revocation.Mark{
		before(ago(time.Hour), "subject", "alice"),
		before(ago(time.Hour), "audience", "api"),
		before(ago(time.Hour), "everyone", ""), // last, as it covers the others
	} {
		c := login("alice", ago(2*time.Hour))
		switch m.Axis {
		case "audience":
			c.Subject, c.Audience = "bob", "api"
		case "everyone":
			c.Subject = "carol"
		}
		other := with(c, func(c *token.Claims) { c.SessionID += "0" })
		m.Except = c.SessionID
		s.revoke(m)
		s.accepts("the session that the mark of "+string(m.Axis)+" spares", renewed(c))
		s.refuses("another session with a mark of "+string(m.Axis), other)
	}
}

// "Log out all others" must not undo a logout of everything, whichever arrives
// first; and pressed in two windows one after the other, the second one stays.
func aSparedSessionIsCoveredByOtherMarks(s tester) {
	for _, who := range []string{"alice", "bob"} {
		old, first, second := login(who, ago(4*time.Hour)), login(who, ago(2*time.Hour)), login(who, ago(time.Hour))
		marks := []revocation.Mark{
			before(ago(3*time.Hour), "subject", who),
			before(ago(30*time.Minute), "subject", who),
			before(ago(20*time.Minute), "subject", who),
		}
		marks[1].Except, marks[2].Except = old.SessionID, second.SessionID
		if who == "bob" {
			marks[0], marks[2] = marks[2], marks[0]
		}
		for _, m := range marks {
			s.revoke(m)
		}
		s.refuses("the spared session, which an older mark covers", old)
		s.refuses("a session that neither spares", first)
		s.refuses("the one that only the last mark spares", second)

		// The older window is logged out by the other one's mark, and logs in again.
		again := login(who, ago(10*time.Minute))
		last := before(ago(time.Minute), "subject", who)
		last.Except = again.SessionID
		s.revoke(last)
		s.accepts("the window where it was pressed last", again)
		s.refuses("the other", second)
	}
}
