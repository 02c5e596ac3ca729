package browser

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

// closedByLogout is the status of a WebSocket whose session ended, of those that are
// for programs (RFC 6455 section 7.4.2).
const closedByLogout = 4401

// loggedOut reports whether what ended a request is the end of its session.
func loggedOut(r *http.Request) bool {
	return errors.Is(context.Cause(r.Context()), token.ErrInvalid)
}

// A client has a cookie jar.
func newClient(t *testing.T, s *httptest.Server) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := *s.Client()
	c.Jar = jar
	return &c
}

func post(t *testing.T, c *http.Client, address string, form url.Values) {
	t.Helper()
	resp, err := c.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", address, resp.StatusCode)
	}
}

// openEvents returns what comes after the first event, once all has come.
func openEvents(t *testing.T, c *http.Client, base string) <-chan string {
	t.Helper()
	resp, err := c.Get(base + "/events")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	r := bufio.NewReader(resp.Body)
	if line, err := r.ReadString('\n'); line != "data: begun\n" {
		t.Fatalf("the stream begins with %q, %v, status %d", line, err, resp.StatusCode)
	}
	rest := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(r)
		rest <- string(b)
	}()
	return rest
}

// openSocket returns the status that it is closed with.
func openSocket(t *testing.T, c *http.Client, base string) <-chan websocket.StatusCode {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(base, "https", "wss", 1)+"/socket", &websocket.DialOptions{HTTPClient: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	if _, b, err := conn.Read(t.Context()); string(b) != "begun" {
		t.Fatalf("the socket begins with %q, %v", b, err)
	}
	status := make(chan websocket.StatusCode, 1)
	go func() {
		_, _, err := conn.Read(context.Background())
		status <- websocket.CloseStatus(err)
	}()
	return status
}

func openList(t *testing.T, addr string) *redislist.List {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	l := redislist.New(client, "web:")
	t.Cleanup(func() { l.Close(); client.Close() })
	if err := l.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// Logged out on one node, the streams on another end: the node that only reads
// sessions hears of it from Redis.
func TestStreamsEndAfterALogoutOnAnotherNode(t *testing.T) {
	const users = 20
	s := redistest.Start(t)
	ring := newRing(t)
	here := newSite(t, ring, openList(t, s.Addr), chimw.Cookie{})
	mux := http.NewServeMux()
	addStreams(mux, chimw.NewGuard(token.NewVerifier[user](ring, web), chimw.Config{Revocation: openList(t, s.Addr)}))
	there := httptest.NewTLSServer(mux)
	t.Cleanup(there.Close) // after the streams that go on
	type streams struct {
		c   *http.Client
		sse <-chan string
		ws  <-chan websocket.StatusCode
	}
	var all []streams
	for i := range users {
		c := newClient(t, here.Server)
		post(t, c, here.URL+"/login", url.Values{"name": {"alice" + string(rune('a'+i))}})
		// A jar keeps cookies by host, whatever the port.
		all = append(all, streams{c, openEvents(t, c, there.URL), openSocket(t, c, there.URL)})
	}
	begin := time.Now()
	for _, s := range all[:users/2] {
		post(t, s.c, here.URL+"/logout", nil)
	}
	for _, s := range all[:users/2] {
		if rest := <-s.sse; !strings.Contains(rest, "event: logout") {
			t.Errorf("the events end with %q", rest)
		}
		if status := <-s.ws; status != closedByLogout {
			t.Errorf("the socket is closed with %v", status)
		}
	}
	t.Logf("%d streams of each kind have ended %v after the first logout", users/2, time.Since(begin))
	for _, s := range all[users/2:] {
		if len(s.sse) > 0 || len(s.ws) > 0 {
			t.Error("a stream of somebody who was not logged out has ended")
		}
	}
}
