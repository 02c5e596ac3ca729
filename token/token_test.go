package token_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

type user struct {
	Name  string
	Roles []string `json:",omitempty"`
}

var web = token.Config{Issuer: "example.com", Audience: "web"}

func newRing(t testing.TB, f keys.Format) *keys.Ring {
	t.Helper()
	set, err := keys.NewSet(f, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// eachFormat runs the test with a ring of each format.
func eachFormat(t *testing.T, test func(t *testing.T, ring *keys.Ring)) {
	formattest.Each(t, func(t *testing.T, f keys.Format) { test(t, newRing(t, f)) })
}

func issue[T any](t testing.TB, i *token.Issuer[T], data T) (string, *token.Session[T]) {
	t.Helper()
	tok, s, err := i.Issue("alice", data)
	if err != nil {
		t.Fatal(err)
	}
	return tok, s
}

func TestVerifyReturnsWhatWasIssued(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		issuer := token.NewIssuer[user](ring, web)
		tok, issued := issue(t, issuer, user{"Alice", []string{"admin"}})
		got, err := token.NewVerifier[user](ring, web).Verify(tok)
		if err != nil {
			t.Fatal(err)
		}
		if got.KeyID == "" {
			t.Error("no key id")
		}
		got.KeyID = issued.KeyID
		if got.Claims != issued.Claims || !reflect.DeepEqual(got.Data(), issued.Data()) {
			t.Errorf("issued and verified sessions differ:\n%+v %+v\n%+v %+v",
				issued.Subject, issued.StartedAt, got.Subject, got.StartedAt)
		}
	})
}

func TestIssueMakesFreshIDs(t *testing.T) {
	issuer := token.NewIssuer[user](newRing(t, keys.JWT), web)
	seen := map[string]bool{}
	for range 100 {
		_, s := issue(t, issuer, user{})
		for _, id := range []string{s.ID, s.SessionID} {
			if seen[id] || len(id) < 22 {
				t.Fatalf("id %q is short or came twice", id)
			}
			seen[id] = true
		}
	}
}

func TestRenewKeepsTheSession(t *testing.T) {
	ring := newRing(t, keys.JWT)
	synctest.Test(t, func(t *testing.T) {
		issuer := token.NewIssuer[user](ring, web)
		_, first := issue(t, issuer, user{Name: "Alice"})
		time.Sleep(20 * time.Minute)
		tok, _, err := issuer.Renew(first)
		if err != nil {
			t.Fatal(err)
		}
		next, err := issuer.Verifier().Verify(tok)
		if err != nil {
			t.Fatal(err)
		}
		if next.SessionID != first.SessionID || next.StartedAt != first.StartedAt || next.EndsAt != first.EndsAt {
			t.Error("session id, start or end moved")
		}
		if next.ID == first.ID || next.IssuedAt.Sub(first.IssuedAt) != 20*time.Minute || next.ExpiresAt.Sub(first.ExpiresAt) != 20*time.Minute {
			t.Error("the token is not a new one")
		}
	})
}

// A client that polls for ever is logged out at MaxAge all the same.
func TestRenewNeverReachesPastTheEnd(t *testing.T) {
	ring := newRing(t, keys.JWT)
	synctest.Test(t, func(t *testing.T) {
		issuer := token.NewIssuer[user](ring, web)
		_, s := issue(t, issuer, user{})
		end := s.StartedAt.Add(12 * time.Hour)
		for time.Now().Before(end) {
			_, next, err := issuer.Renew(s)
			if err != nil {
				t.Fatal(err)
			}
			if s = next; s.ExpiresAt.After(end) {
				t.Fatalf("a token expires at %v, after %v", s.ExpiresAt, end)
			}
			time.Sleep(7 * time.Minute)
		}
		if _, _, err := issuer.Renew(s); !errors.Is(err, token.ErrExpired) {
			t.Errorf("renewal after the end: %v", err)
		}
	})
}

func TestTimesToTheSecond(t *testing.T) {
	const life, leeway = 30 * time.Minute, time.Minute
	for _, tt := range []struct {
		name string
		at   time.Duration // after issue
		want error
	}{
		{"at once", 0, nil},
		{"a leeway before issue", -leeway, nil},
		{"a second longer before issue", -leeway - time.Second, token.ErrNotYet},
		{"just before expiry", life - 1, nil},
		{"just within the leeway", life + leeway - 1, nil},
		{"at expiry and leeway", life + leeway, token.ErrExpired},
		{"a day later", 24 * time.Hour, token.ErrExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachFormat(t, func(t *testing.T, ring *keys.Ring) {
				var tok string
				if tt.at < 0 { // mint on a machine whose clock is ahead
					tok = seal(t, ring, claims(genesis.Add(-tt.at)))
				} else {
					tok = seal(t, ring, claims(genesis))
				}
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(max(tt.at, 0))
					_, err := token.NewVerifier[user](ring, web).Verify(tok)
					if !errors.Is(err, tt.want) {
						t.Errorf("got %v, want %v", err, tt.want)
					}
				})
			})
		})
	}
}

// genesis is when a synctest bubble begins.
var genesis = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// claims returns what an issuer would have minted at that time.
func claims(at time.Time) token.Claims {
	return token.Claims{
		Binding:   token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		ID:        strings.Repeat("i", 22),
		SessionID: strings.Repeat("s", 22),
		Subject:   "alice",
		StartedAt: at,
		IssuedAt:  at.Truncate(time.Second),
		ExpiresAt: at.Truncate(time.Second).Add(30 * time.Minute),
		EndsAt:    at.Truncate(time.Second).Add(12 * time.Hour),
		Raw:       `{"Name":"Alice"}`,
	}
}

func seal(t testing.TB, s token.Sealer, c token.Claims) string {
	t.Helper()
	tok, err := s.Seal(c)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestVerifyJudgesGenuineClaims(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(c *token.Claims)
		want   error
	}{
		"as minted":                  {func(c *token.Claims) {}, nil},
		"another issuer":             {func(c *token.Claims) { c.Issuer = "example.org" }, token.ErrInvalid},
		"another audience":           {func(c *token.Claims) { c.Audience = "api" }, token.ErrInvalid},
		"a refresh token":            {func(c *token.Claims) { c.Purpose = token.PurposeRefresh }, token.ErrInvalid},
		"a challenge":                {func(c *token.Claims) { c.Purpose = token.PurposeChallenge }, token.ErrInvalid},
		"no id":                      {func(c *token.Claims) { c.ID = "" }, token.ErrClaims},
		"an id of 126 bits":          {func(c *token.Claims) { c.ID = strings.Repeat("i", 21) }, token.ErrClaims},
		"no session id":              {func(c *token.Claims) { c.SessionID = "" }, token.ErrClaims},
		"a session id with a colon":  {func(c *token.Claims) { c.SessionID = "a:" + c.SessionID }, token.ErrClaims},
		"an overlong session id":     {func(c *token.Claims) { c.SessionID = strings.Repeat("s", 65) }, token.ErrClaims},
		"no subject":                 {func(c *token.Claims) { c.Subject = "" }, token.ErrClaims},
		"a subject with a line feed": {func(c *token.Claims) { c.Subject = "alice\nroot" }, token.ErrClaims},
		"a subject that runs back":   {func(c *token.Claims) { c.Subject = "alice\u202etoor" }, token.ErrClaims},
		"an overlong subject":        {func(c *token.Claims) { c.Subject = strings.Repeat("a", 256) }, token.ErrClaims},
		"expires before it is":       {func(c *token.Claims) { c.ExpiresAt = c.IssuedAt }, token.ErrClaims},
		"outlives its session":       {func(c *token.Claims) { c.ExpiresAt = c.EndsAt.Add(time.Second) }, token.ErrClaims},
		"older than its session":     {func(c *token.Claims) { c.StartedAt = c.IssuedAt.Add(12 * time.Minute) }, token.ErrClaims},
		"a session of ten years":     {func(c *token.Claims) { c.EndsAt = c.EndsAt.AddDate(10, 0, 0) }, token.ErrClaims},
		"a token of ten years": {func(c *token.Claims) {
			c.EndsAt = c.EndsAt.AddDate(10, 0, 0)
			c.ExpiresAt = c.EndsAt
		}, token.ErrClaims},
		"data of another type": {func(c *token.Claims) { c.Raw = `[1]` }, token.ErrData},
		"a name in other case": {func(c *token.Claims) { c.Raw = `{"Name":"a","Roles":"admin"}` }, token.ErrData},
	} {
		t.Run(name, func(t *testing.T) {
			opener := fixed(claims(time.Now()))
			tt.change((*token.Claims)(&opener))
			_, err := token.NewVerifier[user](opener, web).Verify("a token")
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if tt.want != nil && !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%v is not of the family", err)
			}
		})
	}
}

// fixed is an Opener of one token.
type fixed token.Claims

func (f fixed) Open(string, token.Binding) (token.Claims, error) { return token.Claims(f), nil }

// away is an Opener that can't tell.
type away struct{ error }

func (a away) Open(string, token.Binding) (token.Claims, error) { return token.Claims{}, a.error }

func TestCouldNotTellIsNoAnswer(t *testing.T) {
	down := errors.New("key store is away")
	s, err := token.NewVerifier[user](away{down}, web).Verify("a token")
	if s != nil || !errors.Is(err, down) || errors.Is(err, token.ErrInvalid) {
		t.Errorf("got %v, %v", s, err)
	}
}

func TestATokenOfAnotherRingIsRefused(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		tok := seal(t, ring, claims(time.Now()))
		_, err := token.NewVerifier[user](newRing(t, keys.JWT), web).Verify(tok)
		if !errors.Is(err, keys.ErrUnknownKey) {
			t.Errorf("got %v", err)
		}
	})
}

func TestConfigMistakesPanic(t *testing.T) {
	ring := newRing(t, keys.JWT)
	for name, c := range map[string]token.Config{
		"no issuer":         {Audience: "web"},
		"no audience":       {Issuer: "example.com"},
		"unprintable":       {Issuer: "example.com\n", Audience: "web"},
		"negative lifetime": {Issuer: "i", Audience: "a", Lifetime: -time.Second},
		"half a second":     {Issuer: "i", Audience: "a", Lifetime: time.Second / 2},
		"negative age":      {Issuer: "i", Audience: "a", MaxAge: -1},
		"sloppy clocks":     {Issuer: "i", Audience: "a", Leeway: 6 * time.Minute},
		"oversize":          {Issuer: "i", Audience: "a", MaxSize: 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if msg := fmt.Sprint(recover()); !strings.HasPrefix(msg, "token: ") {
					t.Errorf("recovered %v", msg)
				}
			}()
			token.NewIssuer[user](ring, c)
		})
	}
}

func TestIssueRefusesAnUnusableSubject(t *testing.T) {
	issuer := token.NewIssuer[user](newRing(t, keys.JWT), web)
	for _, subject := range []string{"", "a\x00b", "\xff", strings.Repeat("a", 256)} {
		if tok, _, err := issuer.Issue(subject, user{}); err == nil || tok != "" {
			t.Errorf("issued a token for %q", subject)
		}
	}
}

func TestNothingPrintsClaims(t *testing.T) {
	_, s := issue(t, token.NewIssuer[user](newRing(t, keys.JWT), web), user{Name: "Carol"})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{s, *s, s.Claims, &s.Claims} {
			out := fmt.Sprintf(verb, v)
			if !strings.Contains(out, "redacted") || strings.Contains(out, "alice") || strings.Contains(out, "Carol") {
				t.Errorf("%s of %T prints %q", verb, v, out)
			}
		}
	}
}

// A Verifier for another purpose takes tokens of that purpose and of no other, also
// after it has seen the others.
func TestVerifierForAnotherPurpose(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		issuer := token.NewIssuer[user](ring, web)
		session := issuer.Verifier()
		verifiers := map[token.Purpose]*token.Verifier[user]{
			token.PurposeSession:   session,
			token.PurposeRefresh:   session.For(token.PurposeRefresh),
			token.PurposeChallenge: session.For(token.PurposeChallenge),
		}
		_, s := issue(t, issuer, user{Name: "Alice"})
		for sealed := range verifiers {
			c := s.Claims
			c.Purpose = sealed
			tok, err := ring.Seal(c)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				for wanted, v := range verifiers {
					got, err := v.Verify(tok)
					if wanted == sealed && (err != nil || got.Purpose != sealed || got.Data().Name != "Alice") {
						t.Errorf("%s: %v", sealed, err)
					}
					if wanted != sealed && !errors.Is(err, token.ErrInvalid) {
						t.Errorf("a %s token as a %s token: %v", sealed, wanted, err)
					}
				}
			}
		}
	})
}

// Data that does not fit is kept elsewhere, and comes back as it was.
func TestSpillingAndVerifyWith(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		kept := map[string]string{}
		issuer := token.NewIssuer[user](ring, web).Spilling(func(c token.Claims) (string, error) {
			ref := fmt.Sprint("ref-", len(kept))
			kept[ref] = c.Raw
			return ref, nil
		})
		load := func(c token.Claims) (string, error) { return kept[c.Overflow], nil }
		small, _ := issue(t, issuer, user{Name: "Alice"})
		large := strings.Repeat("x", 100_000)
		tok, s := issue(t, issuer, user{Name: large})
		if len(kept) != 1 || s.Overflow != "ref-0" || s.Raw != kept["ref-0"] || len(tok) > 1000 {
			t.Fatalf("%d kept, a token of %d bytes", len(kept), len(tok))
		}
		verifier := token.NewVerifier[user](ring, web)
		for range 3 { // new, and from the cache
			if _, err := verifier.Verify(tok); err == nil || errors.Is(err, token.ErrInvalid) {
				t.Errorf("Verify without the data: %v", err)
			}
			got, err := verifier.VerifyWith(tok, load)
			if err != nil || got.Data().Name != large || got.Raw != s.Raw || got.Overflow != "ref-0" {
				t.Fatalf("VerifyWith: %v", err)
			}
			if got, err := verifier.VerifyWith(small, nil); err != nil || got.Data().Name != "Alice" {
				t.Errorf("data in the token: %v", err)
			}
			if _, err := token.NewVerifier[struct{}](ring, web).Verify(tok); err != nil {
				t.Errorf("who needs no data: %v", err)
			}
		}
		if _, err := verifier.VerifyWith(tok, func(token.Claims) (string, error) { return "[", nil }); !errors.Is(err, token.ErrData) {
			t.Errorf("data of another type: %v", err)
		}
		away := errors.New("away")
		if _, err := verifier.VerifyWith(tok, func(token.Claims) (string, error) { return "", away }); err != away {
			t.Errorf("load fails: %v", err)
		}
		if _, renewed, err := issuer.Renew(s); err != nil || renewed.Overflow != "ref-0" || len(kept) != 1 {
			t.Errorf("a renewal: %v, %d kept", err, len(kept))
		}
		if _, next, err := issuer.Elevate(s); err != nil || next.Overflow != "ref-1" || kept["ref-1"] != s.Raw {
			t.Errorf("an elevation: %v, %d kept", err, len(kept))
		}
		s.SetData(user{Name: "Alice"})
		if _, shrunk, err := issuer.Renew(s); err != nil || shrunk.Overflow != "" || len(kept) != 2 || shrunk.Revision != 1 {
			t.Errorf("shrunk: %v, %d kept", err, len(kept))
		}
		failing := issuer.Spilling(func(token.Claims) (string, error) { return "", away })
		if tok, _, err := failing.Issue("alice", user{Name: large}); tok != "" || !errors.Is(err, away) {
			t.Errorf("put fails: %v", err)
		}
		for _, ref := range []string{`"`, "a b", strings.Repeat("a", 129), "é", "a\n"} {
			bad := issuer.Spilling(func(token.Claims) (string, error) { return ref, nil })
			if tok, _, err := bad.Issue("alice", user{Name: large}); tok != "" || err == nil {
				t.Errorf("the reference %q is taken", ref)
			}
		}
		c := s.Claims
		for _, raw := range []string{`{"Name":"Alice"}`, "0", " null"} {
			if c.Raw, c.Overflow = raw, "ref"; true {
				if _, err := ring.Seal(c); err == nil {
					t.Errorf("a token with both a reference and %s", raw)
				}
			}
		}
	})
}
