package reason_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/latest"
	"github.com/carnet-go/carnet/chimw/overflow"
	"github.com/carnet-go/carnet/chimw/reason"
	"github.com/carnet-go/carnet/chimw/refresh"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/token"
)

const cookieName = "__Host-session"

type user struct{ Name string }

var web = token.Config{Issuer: "example.com", Audience: "web"}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// genuine are claims that the node believes.
func genuine() token.Claims {
	now := time.Now().Truncate(time.Second)
	return token.Claims{
		Binding: token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		ID:      strings.Repeat("i", 22), SessionID: strings.Repeat("s", 22), Subject: "confidential-alice",
		StartedAt: now.Add(-10 * time.Minute), IssuedAt: now, ExpiresAt: now.Add(30 * time.Minute), EndsAt: now.Add(6 * time.Hour),
		Raw: `{"Name":"confidential-name"}`,
	}
}

// A ring that can be away.
type ring struct {
	*keys.Ring
	down error
}

// OpenOnce hides that of the Ring, so that each request asks.
func (r *ring) OpenOnce() {}

func (r *ring) Open(tok string, b token.Binding) (token.Claims, error) {
	if r.down != nil {
		return token.Claims{}, r.down
	}
	return r.Ring.Open(tok, b)
}

// A list that is a copy of some age, and can be away.
type list struct {
	*revocation.Memory
	age  time.Duration
	down error
}

func (l *list) Look(c token.Claims) (time.Duration, error) {
	return l.age, l.Memory.Check(context.Background(), c)
}

func (l *list) Check(ctx context.Context, c token.Claims) error {
	if l.down != nil {
		return l.down
	}
	return freshness.NewChecker(l, freshness.Closed(5*time.Second)).Check(ctx, c)
}

// A world is a node with keys in each state, and what its hook and its log got.
type world struct {
	sessions                        *chimw.Sessions[user]
	ring                            *ring
	list                            *list
	active, retired, revoked, other token.Sealer
	prunedAway                      token.Sealer
	fresh                           bool // the route is one for who has just logged in
	newest                          latest.Store
	chains                          refresh.Store // the route is the one that refreshes
	entries                         *tampered     // the node has an overflow store
	report                          func(*http.Request, error)
	seen                            []error
	log                             bytes.Buffer
}

func newWorld() *world {
	w := &world{list: &list{Memory: new(revocation.Memory)}}
	first := must(keys.NewSet(keys.JWT, keys.Policy{}))
	second := must(first.Rotate(keys.JWT, true))
	third := must(second.Rotate(keys.JWT, true))
	w.prunedAway, w.retired = must(first.Ring()), must(second.Ring())
	pruned := must(third.Prune(true, first.Keys()[0].ID))
	revokedID := pruned.Keys()[len(pruned.Keys())-2].ID
	w.revoked = must(pruned.Ring())
	last := must(pruned.Revoke(revokedID))
	live := must(last.Ring())
	w.active = live
	w.other = must(must(keys.NewSet(keys.JWT, keys.Policy{})).Ring())
	w.ring = &ring{Ring: live}
	toLog := reason.Log(slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	w.report = func(r *http.Request, err error) {
		w.seen = append(w.seen, err)
		toLog(r, err)
	}
	w.sessions = chimw.New(token.NewIssuer[user](w.ring, web), chimw.Config{Revocation: w.list, Report: w.report})
	return w
}

// cookie returns the Cookie header of genuine claims with a change.
func (w *world) cookie(s token.Sealer, change func(c *token.Claims)) []string {
	c := genuine()
	change(&c)
	return []string{cookieName + "=" + must(s.Seal(c))}
}

func same(*token.Claims) {}

// revoke stores a mark and returns the cookie of a session that it covers.
func (w *world) revoke(m revocation.Mark) []string {
	if err := w.list.Revoke(context.Background(), m); err != nil {
		panic(err)
	}
	return w.cookie(w.active, same)
}

// cases are requests, and the reason why each is refused; an empty one passes.
var cases = []struct {
	name   string
	cookie func(w *world) []string
	method string
	want   reason.Reason
}{
	{"a good session", func(w *world) []string { return w.cookie(w.active, same) }, "GET", ""},
	{"under a retired key", func(w *world) []string { return w.cookie(w.retired, same) }, "GET", ""},
	{"nothing", func(w *world) []string { return nil }, "GET", reason.NoToken},
	{"two cookies", func(w *world) []string { return append(w.cookie(w.active, same), cookieName+"=x") }, "GET", reason.TwoTokens},
	{"two cookies, the other way", func(w *world) []string { return append([]string{cookieName + "=x"}, w.cookie(w.active, same)...) }, "GET", reason.TwoTokens},
	{"another site's form", func(w *world) []string { return w.cookie(w.active, same) }, "POST", reason.CrossOrigin},
	{"a large one", func(w *world) []string { return []string{cookieName + "=" + strings.Repeat("a", token.MaxSize+1)} }, "GET", reason.TooLarge},
	{"garbage", func(w *world) []string { return []string{cookieName + "=confidential-garbage"} }, "GET", reason.Malformed},
	{"another ring's", func(w *world) []string { return w.cookie(w.other, same) }, "GET", reason.UnknownKey},
	{"under a retired key that was pruned", func(w *world) []string { return w.cookie(w.prunedAway, same) }, "GET", reason.UnknownKey},
	{"under a revoked key", func(w *world) []string { return w.cookie(w.revoked, same) }, "GET", reason.RevokedKey},
	{"one character off", func(w *world) []string {
		c := w.cookie(w.active, same)[0]
		at := strings.LastIndex(c, ".") + 5
		return []string{c[:at] + string('A'+(c[at]-'A'+1)%26) + c[at+1:]}
	}, "GET", reason.NotAuthentic},
	{"a refresh token", func(w *world) []string {
		return w.cookie(w.active, func(c *token.Claims) { c.Purpose = token.PurposeRefresh })
	}, "GET", reason.OtherBinding},
	{"another audience", func(w *world) []string { return w.cookie(w.active, func(c *token.Claims) { c.Audience = "api" }) }, "GET", reason.OtherBinding},
	{"a session of a year", func(w *world) []string {
		return w.cookie(w.active, func(c *token.Claims) { c.EndsAt = c.EndsAt.AddDate(1, 0, 0) })
	}, "GET", reason.UnusableClaims},
	{"data of another type", func(w *world) []string { return w.cookie(w.active, func(c *token.Claims) { c.Raw = `{"Name":[]}` }) }, "GET", reason.UnusableData},
	{"of tomorrow", func(w *world) []string { return w.cookie(w.active, shifted(24*time.Hour)) }, "GET", reason.NotYet},
	{"ended", func(w *world) []string {
		return w.cookie(w.active, func(c *token.Claims) { shifted(-time.Hour)(c); c.EndsAt = c.ExpiresAt })
	}, "GET", reason.Expired},
	{"idle", func(w *world) []string { return w.cookie(w.active, shifted(-time.Hour)) }, "GET", reason.Idle},
	{"logged out", func(w *world) []string { return w.revoke(revocation.Session(genuine())) }, "GET", reason.RevokedSession},
	{"logged out everywhere", func(w *world) []string { return w.revoke(revocation.Subject("confidential-alice", 0)) }, "GET", reason.RevokedSubject},
	{"the service", func(w *world) []string { return w.revoke(revocation.Audience("web", 0)) }, "GET", reason.RevokedAudience},
	{"the key by a mark", func(w *world) []string {
		return w.revoke(revocation.Key(activeID(w.active.(*keys.Ring).Set()), time.Now().Add(time.Hour)))
	}, "GET", reason.RevokedByKey},
	{"everyone", func(w *world) []string { return w.revoke(revocation.Everyone(0)) }, "GET", reason.RevokedEveryone},
	{"by a list that tells no more", func(w *world) []string {
		w.list.down = revocation.ErrRevoked
		return w.cookie(w.active, same)
	}, "GET", reason.Revoked},
	{"the password asked for again", func(w *world) []string { w.fresh = true; return w.cookie(w.active, same) }, "GET", reason.NotFresh},
	{"an older cookie", func(w *world) []string {
		w.newest = new(latest.Memory)
		c := genuine()
		must(w.newest.Advance(context.Background(), c.SessionID, 1, c.EndsAt))
		return w.cookie(w.active, same)
	}, "GET", reason.NotLatest},
	{"a refresh token of an hour ago", func(w *world) []string { return w.refresh(0, 9, time.Hour) }, "POST", reason.Reused},
	{"a refresh token of an hour ago, the store emptied", func(w *world) []string { return w.refresh(9, 0, time.Hour) }, "POST", reason.Forgotten},
	{"a refresh token, the list away", func(w *world) []string {
		w.list.down = errors.New("down")
		return w.refresh(0, 0, 0)
	}, "POST", reason.CouldNotTell},
	{"data that the store has lost", func(w *world) []string { return w.overflow(nil) }, "GET", reason.DataLost},
	{"data that the store has altered", func(w *world) []string { return w.overflow([]byte("confidential")) }, "GET", reason.DataAltered},
	{"data of a store that is away", func(w *world) []string {
		defer func() { w.entries.down = errors.New("down") }()
		return w.overflow(nil)
	}, "GET", reason.CouldNotTell},
	{"an old copy", func(w *world) []string { w.list.age = time.Minute; return w.cookie(w.active, same) }, "GET", reason.ViewTooOld},
	{"the list is away", func(w *world) []string { w.list.down = errors.New("down"); return w.cookie(w.active, same) }, "GET", reason.CouldNotTell},
	{"the ring is away", func(w *world) []string {
		defer func() { w.ring.down = errors.New("down") }()
		return w.cookie(w.active, same)
	}, "GET", reason.CouldNotTell},
}

// A tampered store has the same in the place of every entry, or nothing.
type tampered struct {
	overflow.Store
	entry []byte
	down  error
}

func (s *tampered) Get(context.Context, string, string) ([]byte, error) {
	if s.down == nil && s.entry == nil {
		return nil, overflow.ErrMissing
	}
	return s.entry, s.down
}

// overflow returns the cookie of a session whose data is in a store that has entry in
// its place.
func (w *world) overflow(entry []byte) []string {
	w.entries = &tampered{new(overflow.Memory), entry, nil}
	c := genuine()
	ref := must(overflow.Save(context.Background(), w.entries, c.SessionID, c.Raw, c.EndsAt))
	return w.cookie(w.active, func(c *token.Claims) { c.Raw, c.Overflow = "null", ref })
}

// refresh returns a refresh token of that generation and age, as if it were a cookie,
// when the store has seen another.
func (w *world) refresh(generation, known int64, age time.Duration) []string {
	w.chains = new(refresh.Memory)
	must(0, w.chains.Put(context.Background(), genuine().SessionID, known, genuine().EndsAt))
	return w.cookie(w.active, func(c *token.Claims) {
		c.Purpose, c.Revision, c.IssuedAt, c.ExpiresAt = token.PurposeRefresh, generation, c.IssuedAt.Add(-age), c.EndsAt
		c.StartedAt = c.IssuedAt
	})
}

// asForm moves the token of a request into its body.
func asForm(r *http.Request) {
	tok := strings.TrimPrefix(r.Header["Cookie"][0], cookieName+"=")
	r.Body = io.NopCloser(strings.NewReader("refresh_token=" + tok))
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
}

func activeID(s *keys.Set) string {
	for _, k := range s.Keys() {
		if k.State == "active" {
			return k.ID
		}
	}
	return ""
}

func shifted(d time.Duration) func(c *token.Claims) {
	return func(c *token.Claims) {
		c.StartedAt, c.IssuedAt, c.ExpiresAt, c.EndsAt = c.StartedAt.Add(d), c.IssuedAt.Add(d), c.ExpiresAt.Add(d), c.EndsAt.Add(d)
	}
}

// Every reason, with the status, the body, the cookie, the hook and the log. What
// the documentation says of each is what happens.
func TestEveryReason(t *testing.T) {
	documented := table(t)
	reached := map[reason.Reason]bool{}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			r := httptest.NewRequest(tt.method, "https://example.com/?confidential-query", nil)
			r.Header["Cookie"] = tt.cookie(w)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Pattern = "/me"
			route := w.sessions.Require
			if w.fresh {
				route = w.sessions.RequireFresh(5 * time.Minute)
			}
			if w.newest != nil {
				route = w.sessions.RequireLatest(w.newest)
			}
			cookies := r.Header["Cookie"]
			if w.chains != nil {
				tokens := refresh.New[user](w.ring, web, refresh.Config{Store: w.chains, Revocation: w.list, Report: w.report})
				route = func(http.Handler) http.Handler { return tokens }
				asForm(r)
			}
			if w.entries != nil {
				route = chimw.New(token.NewIssuer[user](w.ring, web), chimw.Config{Revocation: w.list, Report: w.report, Overflow: w.entries}).Require
			}
			rec := httptest.NewRecorder()
			route(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "in") })).ServeHTTP(rec, r)
			resp := rec.Result()
			set := resp.Header["Set-Cookie"]
			if tt.want == "" {
				renewed := len(set) == 1 && !strings.Contains(set[0], "Max-Age=0")
				if rec.Body.String() != "in" || len(w.seen) > 0 || renewed != (tt.name == "under a retired key") {
					t.Errorf("%d %q, reported %v, cookies %d", rec.Code, rec.Body, w.seen, len(set))
				}
				return
			}
			reached[tt.want] = true
			if len(w.seen) != 1 || reason.Of(w.seen[0]) != tt.want {
				t.Fatalf("reported %v, want %q", w.seen, tt.want)
			}
			status := tt.want.Status()
			if rec.Code != status || documented[tt.want] != status {
				t.Errorf("status %d, want %d, documented as %d", rec.Code, status, documented[tt.want])
			}
			if got, want := rec.Body.String(), http.StatusText(status)+"\n"; got != want {
				t.Errorf("the body is %q, want %q", got, want)
			}
			if len(set) > 0 || (resp.Header.Get("Retry-After") != "") != (status == http.StatusServiceUnavailable) {
				t.Errorf("headers: %v", resp.Header)
			}
			w.checkLog(t, tt.want, cookies)
		})
	}
	for r := range documented {
		if !reached[r] {
			t.Errorf("%q is documented and was not reached", r)
		}
	}
	if len(documented) != len(reached) {
		t.Errorf("%d reasons are documented, %d were reached", len(documented), len(reached))
	}
}

// checkLog wants one line, and no part of a token or a claim in it.
func (w *world) checkLog(t *testing.T, want reason.Reason, cookies []string) {
	t.Helper()
	line := w.log.String()
	var got struct{ Msg, Reason, Method, Route, Error string }
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("the log is %q: %v", line, err)
	}
	if got.Msg != "session refused" || got.Reason != string(want) || got.Method == "" || got.Route != "/me" || got.Error != w.seen[0].Error() {
		t.Errorf("the log is %s", line)
	}
	secrets := []string{"confidential", strings.Repeat("s", 22), strings.Repeat("i", 22)}
	for _, c := range cookies {
		for tok := strings.TrimPrefix(c, cookieName+"="); len(tok) >= 16; tok = tok[16:] {
			secrets = append(secrets, tok[:16])
		}
	}
	for _, s := range secrets {
		if strings.Contains(line+fmt.Sprintf("%+v", w.seen[0]), s) {
			t.Errorf("%q is in the log: %s", s, line)
		}
	}
}

// table reads the reasons and their statuses out of the documentation.
func table(t *testing.T) map[reason.Reason]int {
	t.Helper()
	doc, err := os.ReadFile("../../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[reason.Reason]int{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z -]+) \|.*\| (\d+) \|$`).FindAllStringSubmatch(string(doc), -1) {
		var status int
		fmt.Sscan(m[2], &status)
		rows[reason.Reason(m[1])] = status
	}
	return rows
}

// A stream whose session ends has the same words, on the request's goroutine when its
// handler returns.
func TestAResponseThatIsCutShort(t *testing.T) {
	for want, end := range map[reason.Reason]func(w *world){
		reason.RevokedSession: func(w *world) { w.revoke(revocation.Session(genuine())) },
		reason.Idle:           func(*world) {}, // in half an hour
		reason.ViewTooOld:     func(w *world) { w.list.age = time.Minute },
		reason.CouldNotTell:   func(w *world) { w.list.down = errors.New("down") },
	} {
		t.Run(string(want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				r := httptest.NewRequest("GET", "https://example.com/me", nil)
				r.Pattern = "/me"
				r.Header["Cookie"] = w.cookie(w.active, same)
				w.sessions.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					ctx := r.Context()
					end(w) // before anything watches, which reads it
					<-ctx.Done()
					if got := reason.Of(context.Cause(ctx)); got != want || len(w.seen) > 0 {
						t.Errorf("the handler finds %q; reported before its end: %v", got, w.seen)
					}
				})).ServeHTTP(httptest.NewRecorder(), r)
				if len(w.seen) != 1 {
					t.Fatalf("reported: %v", w.seen)
				}
				w.checkLog(t, want, r.Header["Cookie"])
			})
		})
	}
}

// The words are few, so that they can be the labels of a metric.
func TestOfIsOneOfTheWords(t *testing.T) {
	documented := table(t)
	for _, err := range []error{
		nil, errors.New("x"), fmt.Errorf("renew session: %w", errors.New("x")), worded("made up"), worded("idle"),
		fmt.Errorf("log out: %w", chimw.ErrTwoTokens), &revocation.RevokedError{}, revocation.ErrRevoked,
		&revocation.RevokedError{Mark: revocation.Mark{Axis: "invented"}}, context.Canceled,
	} {
		if _, ok := documented[reason.Of(err)]; !ok {
			t.Errorf("%v gives %q", err, reason.Of(err))
		}
	}
}

type worded string

func (w worded) Error() string  { return string(w) }
func (w worded) Reason() string { return string(w) }

func TestLevels(t *testing.T) {
	var log bytes.Buffer
	report := reason.Log(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	var got []string
	for _, err := range []error{chimw.ErrNoToken, token.ErrExpired, chimw.ErrTwoTokens, token.ErrInvalid, errors.New("down")} {
		log.Reset()
		report(httptest.NewRequest("GET", "/", nil), err)
		_, rest, _ := strings.Cut(log.String(), "level=")
		level, _, _ := strings.Cut(rest, " ")
		got = append(got, level)
	}
	if want := []string{"DEBUG", "INFO", "WARN", "WARN", "ERROR"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	reason.Log(nil)
}
