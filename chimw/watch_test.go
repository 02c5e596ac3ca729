package chimw_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/token"
)

// bound is how long a response may go on after requests are refused.
const bound = time.Second

// stream returns a handler that goes on until its context is done, and where it
// tells why.
func stream() (http.Handler, <-chan error) {
	why := make(chan error, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		why <- context.Cause(r.Context())
	}), why
}

// An agingList is a copy of a list, as old as it is told.
type agingList struct {
	*revocation.Memory
	mu  sync.Mutex
	age time.Duration
}

func (l *agingList) setAge(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.age = d
}

func (l *agingList) Look(c token.Claims) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.age, l.Memory.Check(context.Background(), c)
}

// A brokenList can't tell once it is told to break.
type brokenList struct {
	*revocation.Memory
	broken chan struct{}
	hang   bool
}

func (l *brokenList) Check(ctx context.Context, c token.Claims) error {
	select {
	case <-l.broken:
	default:
		return l.Memory.Check(ctx, c)
	}
	if l.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return errDown
}

func TestAResponseEndsWithItsSession(t *testing.T) {
	revoke := func(m func(c token.Claims) revocation.Mark) func(n *node, s *token.Session[user]) {
		return func(n *node, s *token.Session[user]) {
			n.list.List.Revoke(context.Background(), m(s.Claims))
		}
	}
	for name, tt := range map[string]struct {
		after time.Duration // the stream began
		end   func(n *node, s *token.Session[user])
		want  error
	}{
		"logged out":            {5 * time.Minute, revoke(revocation.Session), revocation.ErrRevoked},
		"logged out everywhere": {5 * time.Minute, revoke(func(c token.Claims) revocation.Mark { return revocation.Subject(c.Subject, 0) }), revocation.ErrRevoked},
		"everybody logged out":  {time.Second, revoke(func(token.Claims) revocation.Mark { return revocation.Everyone(0) }), revocation.ErrRevoked},
		"a mark of its key":     {time.Minute, revoke(func(c token.Claims) revocation.Mark { return revocation.Key(c.KeyID, c.EndsAt) }), revocation.ErrRevoked},
		"the token expires":     {31 * time.Minute, func(*node, *token.Session[user]) {}, token.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, chimw.Config{})
			synctest.Test(t, func(t *testing.T) {
				n.list.List = new(revocation.Memory)
				tok, _ := n.issue(t)
				s, err := n.issuer.Verifier().Verify(tok)
				if err != nil {
					t.Fatal(err)
				}
				h, why := stream()
				go send(n.Require(h), "GET", withCookie(tok))
				time.Sleep(tt.after)
				synctest.Wait()
				if len(why) > 0 {
					t.Fatalf("cut short before: %v", <-why)
				}
				tt.end(n, s)
				time.Sleep(bound)
				synctest.Wait()
				if len(why) == 0 {
					t.Fatal("it goes on")
				}
				cause := <-why
				if !errors.Is(cause, tt.want) || !errors.Is(cause, token.ErrInvalid) {
					t.Errorf("the cause is %v", cause)
				}
				if len(n.reasons) != 1 || !errors.Is(n.reasons[0], tt.want) {
					t.Errorf("reported: %v", n.reasons)
				}
			})
		})
	}
}

// Nothing is known of the session then: what ends the response is no ErrInvalid.
func TestAResponseEndsWhenTheListCannotTell(t *testing.T) {
	copied := &agingList{Memory: new(revocation.Memory), age: 2 * time.Second}
	for name, list := range map[string]*brokenList{"an error": {}, "no answer": {hang: true}} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, chimw.Config{})
			synctest.Test(t, func(t *testing.T) {
				list.Memory, list.broken = new(revocation.Memory), make(chan struct{})
				tok, _ := n.issue(t)
				h, why := stream()
				go send(n.With(list).Require(h), "GET", withCookie(tok))
				time.Sleep(time.Minute)
				close(list.broken)
				time.Sleep(bound + 5*time.Second)
				synctest.Wait()
				if len(why) == 0 {
					t.Fatal("it goes on")
				}
				if cause := <-why; errors.Is(cause, token.ErrInvalid) || errors.Is(cause, context.Canceled) {
					t.Errorf("the cause is %v", cause)
				}
			})
		})
	}
	t.Run("the policy of the route", func(t *testing.T) {
		n := newNode(t, chimw.Config{})
		careful := n.With(freshness.NewChecker(copied, freshness.Closed(5*time.Second)))
		easy := n.With(freshness.NewChecker(copied, freshness.Closed(time.Hour)))
		synctest.Test(t, func(t *testing.T) {
			tok, _ := n.issue(t)
			ctx, cancel := context.WithCancel(t.Context())
			money, whyMoney := stream()
			news, whyNews := stream()
			go send(n.Require(careful.Require(money)), "GET", withCookie(tok))
			go easy.Require(news).ServeHTTP(httptest.NewRecorder(), newRequest("GET", withCookie(tok)).WithContext(ctx))
			time.Sleep(time.Minute)
			copied.setAge(time.Minute)
			time.Sleep(time.Minute)
			synctest.Wait()
			if len(whyMoney) == 0 || len(whyNews) > 0 {
				t.Fatalf("ended: %d and %d", len(whyMoney), len(whyNews))
			}
			if _, ok := errors.AsType[*freshness.StaleError](<-whyMoney); !ok {
				t.Error("the cause is not the age of the copy")
			}
			cancel()
			if cause := <-whyNews; cause != context.Canceled {
				t.Errorf("a client that went away is %v", cause)
			}
		})
	})
}

// A stolen key ends what runs on its tokens, as soon as the ring knows.
func TestAResponseEndsWithItsKey(t *testing.T) {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	source := keys.Source{Path: filepath.Join(t.TempDir(), "ring.json"), Plain: true}
	if err := source.Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	ring, err := source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	issuer := token.NewIssuer[user](ring, web)
	sessions := chimw.New(issuer, chimw.Config{})
	tok, _, err := issuer.Issue("alice", user{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := issuer.Verifier().Verify(tok)
	if err != nil {
		t.Fatal(err)
	}
	h, why := stream()
	begun := make(chan struct{})
	go send(sessions.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		h.ServeHTTP(w, r)
	})), "GET", withCookie(tok))
	<-begun
	if _, err := source.Edit(t.Context(), func(s2 *keys.Set) (*keys.Set, error) { return s2.Revoke(s.KeyID) }); err != nil {
		t.Fatal(err)
	}
	if err := ring.Reload(); err != nil {
		t.Fatal(err)
	}
	select {
	case cause := <-why:
		if !errors.Is(cause, keys.ErrRevokedKey) {
			t.Errorf("the cause is %v", cause)
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
}

// What a handler does with its own session is no surprise to it.
func TestAHandlerThatChangesTheSessionGoesOn(t *testing.T) {
	n := newNode(t, chimw.Config{})
	// A list that takes its time after a mark holds, as one that waits for a store.
	slow := &lateList{}
	calls := map[string]func(w http.ResponseWriter, r *http.Request) error{
		"elevate":        func(w http.ResponseWriter, r *http.Request) error { return n.Elevate(w, r, nil) },
		"reauthenticate": func(w http.ResponseWriter, r *http.Request) error { return n.Reauthenticate(w, r, nil) },
		"log in":         func(w http.ResponseWriter, r *http.Request) error { return n.Login(w, r, "bob", user{}) },
		"log out":        n.Logout,
		"log out all":    n.LogoutEverywhere,
		"update": func(w http.ResponseWriter, r *http.Request) error {
			return n.Update(w, r, func(u *user) { u.Name += "!" })
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow.List = new(revocation.Memory)
				n.list.List = slow
				tok, _ := n.issue(t)
				var now *token.Session[user]
				done, why := make(chan struct{}), make(chan error, 1)
				go send(n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ctx := r.Context()
					ctx.Done() // now it is watched
					if err := call(w, r); err != nil {
						t.Error(err)
					}
					now, _ = chimw.FromContext[user](ctx)
					close(done)
					select {
					case <-ctx.Done():
						why <- context.Cause(ctx)
					case <-time.After(10 * time.Minute):
					}
				})), "GET", withCookie(tok))
				<-done
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				if len(why) > 0 {
					t.Fatalf("cut short: %v", <-why)
				}
				if now == nil {
					time.Sleep(10 * time.Minute)
					return
				}
				// The new session is the one that is watched.
				slow.List.Revoke(t.Context(), revocation.Session(now.Claims))
				time.Sleep(bound)
				synctest.Wait()
				if len(why) == 0 {
					t.Error("it goes on after the new session was revoked")
				}
				time.Sleep(10 * time.Minute)
			})
		})
	}
}

type lateList struct{ revocation.List }

func (l *lateList) Revoke(ctx context.Context, m ...revocation.Mark) error {
	err := l.List.Revoke(ctx, m...)
	time.Sleep(2 * time.Second)
	return err
}

// Contexts made from the request's end with it, and need no goroutine for that.
func TestContextsMadeFromTheRequest(t *testing.T) {
	n := newNode(t, chimw.Config{})
	synctest.Test(t, func(t *testing.T) {
		n.list.List = new(revocation.Memory)
		tok, s := n.issue(t)
		ended := make(chan error, 3)
		go send(n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before := runtime.NumGoroutine()
			child, cancel := context.WithTimeout(context.WithValue(r.Context(), new(int), "v"), time.Hour)
			defer cancel()
			context.AfterFunc(r.Context(), func() { ended <- context.Cause(r.Context()) })
			if got := runtime.NumGoroutine(); got != before {
				t.Errorf("%d goroutines, %d before", got, before)
			}
			if _, ok := chimw.FromContext[user](child); !ok {
				t.Error("no session in a context of a context")
			}
			for r.Context().Err() == nil { // a loop that never calls Done
				time.Sleep(100 * time.Millisecond)
			}
			<-child.Done()
			ended <- context.Cause(child)
			ended <- r.Context().Err()
		})), "GET", withCookie(tok))
		time.Sleep(time.Minute)
		n.list.List.Revoke(t.Context(), revocation.Session(s.Claims))
		time.Sleep(2 * bound)
		synctest.Wait()
		for range 2 {
			if err := <-ended; !errors.Is(err, revocation.ErrRevoked) {
				t.Errorf("the cause is %v", err)
			}
		}
		if err := <-ended; err != context.Canceled {
			t.Errorf("Err is %v", err)
		}
	})
}

// Nobody's session can end.
func TestAStrangersResponseGoesOn(t *testing.T) {
	n := newNode(t, chimw.Config{})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h, why := stream()
		go n.Load(h).ServeHTTP(httptest.NewRecorder(), newRequest("GET", nil).WithContext(ctx))
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(why) > 0 {
			t.Fatalf("cut short: %v", <-why)
		}
		cancel()
		<-why
	})
}

// A request that is answered at once asks the list once, and allocates nothing for
// the case that it had lasted.
func TestShortRequestsPayNothing(t *testing.T) {
	list := newSpyList()
	issuer := token.NewIssuer[string](newRing(t), web)
	guard := chimw.NewGuard(issuer.Verifier(), chimw.Config{Revocation: list})
	tok, _, err := issuer.Issue("alice", "data")
	if err != nil {
		t.Fatal(err)
	}
	h := guard.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	watched := guard.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.Context().Done() }))
	w, r := &discard{http.Header{}}, newRequest("GET", withCookie(tok))
	cost := func(h http.Handler) float64 {
		return testing.AllocsPerRun(100, func() { clear(w.h); h.ServeHTTP(w, r) })
	}
	// What the middleware knows, and the request with it.
	if got := cost(h); got > 2 {
		t.Errorf("%v allocations", got)
	}
	if got := cost(watched); got <= 2 {
		t.Errorf("%v allocations for who wants to know: is this measured?", got)
	}
	list.checks = 0
	h.ServeHTTP(w, r)
	if list.checks != 1 {
		t.Errorf("the list was asked %d times", list.checks)
	}
}

type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// Ten thousand handlers that wait, with and without the wish to know. The clock of
// the test stands still while it measures.
func TestTenThousandStreams(t *testing.T) {
	const streams = 10_000
	list := new(revocation.Memory)
	issuer := token.NewIssuer[user](newRing(t), web)
	guard := chimw.NewGuard(issuer.Verifier(), chimw.Config{Revocation: list})
	synctest.Test(t, func(t *testing.T) {
		tok, _, err := issuer.Issue("alice", user{Name: "Alice"})
		if err != nil {
			t.Fatal(err)
		}
		// open returns what that many open streams take.
		open := func(done func(server, request context.Context) <-chan struct{}) (bytes, goroutines int, end func()) {
			before, routines := memory(), runtime.NumGoroutine()
			server, stop := context.WithCancel(t.Context())
			var over sync.WaitGroup
			h := guard.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-done(server, r.Context()) }))
			for range streams {
				over.Go(func() {
					own, cancel := context.WithCancel(server) // as a server's
					defer cancel()
					h.ServeHTTP(&discard{http.Header{}}, newRequest("GET", withCookie(tok)).WithContext(own))
				})
			}
			synctest.Wait()
			return memory() - before, runtime.NumGoroutine() - routines, func() {
				stop()
				over.Wait()
				time.Sleep(2 * bound) // until the runtime has let go of the timers
			}
		}
		idle := func(server, _ context.Context) <-chan struct{} { return server.Done() }
		wanting := func(_, request context.Context) <-chan struct{} { return request.Done() }
		_, _, end := open(wanting) // fills what both will use
		end()
		plain, plainRoutines, end := open(idle)
		end()
		watched, routines, end := open(wanting)
		t.Logf("%d bytes a stream, %d goroutines in all", (watched-plain)/streams, routines-plainRoutines)
		if (watched-plain)/streams >= 2048 {
			t.Errorf("a stream takes %d bytes", (watched-plain)/streams)
		}
		if routines != plainRoutines || routines != streams {
			t.Errorf("%d goroutines for %d streams, %d without", routines, streams, plainRoutines)
		}
		time.Sleep(2 * time.Second)
		if got := runtime.NumGoroutine(); got < streams {
			t.Errorf("%d streams are left", got)
		}
		if err := list.Revoke(t.Context(), revocation.Everyone(0)); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		time.Sleep(bound)
		synctest.Wait()
		if got := runtime.NumGoroutine(); got >= 100 {
			t.Errorf("%d streams go on %v after they were revoked", got, time.Since(begin))
		}
		end()
	})
}

// memory returns the bytes of the heap in use.
func memory() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// The ResponseWriter is the server's own, over HTTP/1.1 and HTTP/2.
func TestTheResponseWriterIsTheServers(t *testing.T) {
	n := newNode(t, chimw.Config{})
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			var bare, behind string
			look := func(into *string) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, flusher := w.(http.Flusher)
					_, hijacker := w.(http.Hijacker)
					_, readerFrom := w.(io.ReaderFrom)
					_, stringWriter := w.(io.StringWriter)
					c := http.NewResponseController(w)
					*into = fmt.Sprintf("%T %v %v %v %v", w, flusher, hijacker, readerFrom, stringWriter)
					for _, err := range []error{c.SetReadDeadline(time.Now().Add(time.Hour)), c.SetWriteDeadline(time.Time{}), c.EnableFullDuplex(), c.Flush()} {
						*into += fmt.Sprint(" ", err)
					}
				})
			}
			mux := http.NewServeMux()
			mux.Handle("/bare", look(&bare))
			mux.Handle("/behind", n.Load(n.Require(n.RequireFresh(time.Hour)(look(&behind)))))
			mux.Handle("/login", n.login())
			s := httptest.NewUnstartedServer(mux)
			s.EnableHTTP2 = proto == "HTTP/2.0"
			s.StartTLS()
			defer s.Close()
			b := newBrowser(t, s)
			b.post("/login", map[string][]string{"name": {"Alice"}})
			b.get("/bare")
			b.get("/behind")
			if bare != behind || !strings.Contains(bare, "true") {
				t.Errorf("bare %s\nbehind %s", bare, behind)
			}
		})
	}
}

// Server-sent events over TLS, by the jar of a browser.
func TestServerSentEventsEndWithTheSession(t *testing.T) {
	n := newNode(t, chimw.Config{})
	mux := http.NewServeMux()
	mux.Handle("POST /login", n.login())
	mux.Handle("POST /logout", do(n.Logout))
	mux.Handle("GET /events", n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: begun\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		if errors.Is(context.Cause(r.Context()), token.ErrInvalid) {
			fmt.Fprint(w, "event: logout\ndata:\n\n")
		}
	})))
	s := httptest.NewTLSServer(mux)
	defer s.Close()
	tab, other := newBrowser(t, s), newBrowser(t, s)
	tab.post("/login", map[string][]string{"name": {"Alice"}})
	other.setCookies(tab.cookies())
	resp, err := tab.client.Get(s.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	events := bufio.NewReader(resp.Body)
	if line, _ := events.ReadString('\n'); line != "data: begun\n" {
		t.Fatalf("%q", line)
	}
	other.post("/logout", nil)
	rest, err := io.ReadAll(events)
	if err != nil || !strings.Contains(string(rest), "event: logout") {
		t.Errorf("the stream ends with %q, %v", rest, err)
	}
}
