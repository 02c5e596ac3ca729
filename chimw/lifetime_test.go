package chimw_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

// newLongNode is a node whose sessions may last a month.
func newLongNode(t testing.TB, c chimw.Config) *node {
	n := newNode(t, c)
	long := web
	long.MaxAge = 30 * day
	n.issuer = token.NewIssuer[user](n.ring, long)
	if c.Revocation == nil {
		c.Revocation = n.list
	}
	c.Report = func(_ *http.Request, err error) { n.reasons = append(n.reasons, err) }
	n.Sessions = chimw.New(n.issuer, c)
	return n
}

// As many requests as it takes, and the token is neither refused nor replaced
// more often than it must be.
func TestAThousandRequestsSetAFewCookies(t *testing.T) {
	const requests = 1000
	n := newLongNode(t, chimw.Config{})
	most := 0
	for _, k := range []struct{ idle, maxAge time.Duration }{
		{30 * time.Minute, 12 * hour}, {5 * time.Minute, hour}, {7 * day, 30 * day}, {8 * hour, 8 * hour},
	} {
		for range 2 { // the moment depends on the token
			synctest.Test(t, func(t *testing.T) {
				tok, _, err := n.issuer.Lasting(k.idle, k.maxAge).Issue("alice", user{Name: "Alice"})
				if err != nil {
					t.Fatal(err)
				}
				cookies := 0
				for range requests {
					time.Sleep(k.idle / requests)
					resp := send(n.Require(hello), "GET", withCookie(tok))
					if resp.StatusCode != http.StatusOK {
						t.Fatalf("got %d", resp.StatusCode)
					}
					if len(ours(resp.Header)) > 0 {
						tok = set(t, resp.Header)
						cookies++
					}
				}
				most = max(most, cookies)
				if want := 3; cookies > want || (cookies == 0) != (k.idle == k.maxAge) {
					t.Errorf("idle %v, at most %v: %d cookies", k.idle, k.maxAge, cookies)
				}
			})
		}
	}
	t.Logf("at most %d cookies in %d requests", most, requests)
}

// Whoever comes by once in each half of the idle time stays.
func TestIdleToTheSecond(t *testing.T) {
	n := newLongNode(t, chimw.Config{})
	for name, tt := range map[string]struct {
		idle, maxAge time.Duration
		pause        time.Duration // between requests
		want         int           // of the last of ten requests
	}{
		"each half of the idle time":         {hour, 30 * day, 30*time.Minute + 1, http.StatusOK},
		"at the end of it":                   {hour, 30 * day, hour - 1, http.StatusOK},
		"at the end of it and the leeway":    {hour, 30 * day, hour + time.Minute - time.Second, http.StatusOK},
		"after it and the leeway":            {hour, 30 * day, hour + time.Minute, http.StatusUnauthorized},
		"the ninth before the end, tenth at": {hour, 9 * hour, 54*time.Minute + 6*time.Second, http.StatusUnauthorized},
		"the tenth just before the end":      {hour, 9 * hour, 54*time.Minute + 6*time.Second - time.Millisecond, http.StatusOK},
		"no renewal, just before the end":    {hour, hour, 6*time.Minute + 6*time.Second - time.Millisecond, http.StatusOK},
		"no renewal, at the end":             {hour, hour, 6*time.Minute + 6*time.Second, http.StatusUnauthorized},
		"remember me, once a week":           {7 * day, 30 * day, 2 * day, http.StatusOK},
		"remember me, in the last minute":    {7 * day, 30 * day, 3*day + 6*time.Second - time.Millisecond, http.StatusOK},
		"remember me, after a month":         {7 * day, 30 * day, 3*day + 6*time.Second, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tok, _, err := n.issuer.Lasting(tt.idle, tt.maxAge).Issue("alice", user{Name: "Alice"})
				if err != nil {
					t.Fatal(err)
				}
				var resp *http.Response
				for range 10 {
					time.Sleep(tt.pause)
					resp = send(n.Require(hello), "GET", withCookie(tok))
					if len(ours(resp.Header)) > 0 {
						tok = set(t, resp.Header)
					}
				}
				if resp.StatusCode != tt.want {
					t.Errorf("got %d, want %d", resp.StatusCode, tt.want)
				}
			})
		})
	}
}

// An old key's cookie comes back under the new key, at once.
func TestRenewalUnderTheActiveKey(t *testing.T) {
	old, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	formats := formattest.Usable()
	next, err := old.Rotate(formats[len(formats)-1], true)
	if err != nil {
		t.Fatal(err)
	}
	node := func(s *keys.Set) *chimw.Sessions[user] {
		ring, err := s.Ring()
		if err != nil {
			t.Fatal(err)
		}
		return chimw.New(token.NewIssuer[user](ring, web), chimw.Config{})
	}
	behind, ahead := node(old), node(next)
	login := func(s *chimw.Sessions[user]) string {
		return set(t, send(do(func(w http.ResponseWriter, r *http.Request) error {
			return s.Login(w, r, "alice", user{Name: "Alice"})
		}), "POST", header()).Header)
	}
	tok := login(behind)
	if resp := send(behind.Require(hello), "GET", withCookie(tok)); len(ours(resp.Header)) > 0 {
		t.Error("renewed by a node that has not heard of the rotation")
	}
	resp := send(ahead.Require(hello), "GET", withCookie(tok))
	renewed := set(t, resp.Header)
	if got := body(t, resp); got != "hello, Alice map[]" {
		t.Errorf("got %q", got)
	}
	for name, s := range map[string]*chimw.Sessions[user]{"ahead": ahead, "behind": behind} {
		resp := send(s.Require(hello), "GET", withCookie(renewed))
		if resp.StatusCode != http.StatusOK || len(ours(resp.Header)) > 0 {
			t.Errorf("%s, the renewed token: %d, %d cookies", name, resp.StatusCode, len(ours(resp.Header)))
		}
	}
}
