package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation/redislist"
)

// A person has a cookie jar. Cookies are by host, so both nodes get them.
type person struct {
	t *testing.T
	*http.Client
}

func newPerson(t *testing.T, s *httptest.Server) person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := *s.Client()
	c.Jar = jar
	return person{t, &c}
}

func (p person) do(method, address string, form ...string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(strings.Join(form, "&")))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func (p person) want(status int, method, address string, form ...string) {
	p.t.Helper()
	if got, text := p.do(method, address, form...); got != status {
		p.t.Errorf("%s %s: %d %q, want %d", method, address, got, text, status)
	}
}

// Two nodes, one Redis.
func TestSite(t *testing.T) {
	server := redistest.Start(t)
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	var nodes []string
	var last *httptest.Server
	for range 2 {
		client := redis.NewClient(&redis.Options{Addr: server.Addr, ContextTimeoutEnabled: true})
		list := redislist.New(client, "web:")
		if err := list.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		last = httptest.NewTLSServer(site(ring, list))
		t.Cleanup(func() { list.Close(); client.Close() })
		t.Cleanup(last.Close)
		nodes = append(nodes, last.URL)
	}
	a, b := nodes[0], nodes[1]
	phone, laptop := newPerson(t, last), newPerson(t, last)

	phone.want(http.StatusUnauthorized, "POST", b+"/transfer")
	phone.want(http.StatusOK, "POST", a+"/login", "name=alice", "remember=1")
	laptop.want(http.StatusOK, "POST", b+"/login", "name=alice")
	if _, text := phone.do("GET", b+"/"); text != "hello, alice\n" {
		t.Errorf("%q", text)
	}
	phone.want(http.StatusOK, "POST", b+"/transfer")
	phone.want(http.StatusOK, "POST", a+"/confirm")
	phone.want(http.StatusOK, "POST", a+"/admin")

	// The laptop listens on one node, the password is changed on the other.
	resp, err := laptop.Get(b + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	events := bufio.NewReader(resp.Body)
	if line, _ := events.ReadString('\n'); !strings.HasPrefix(line, "data: ") {
		t.Fatalf("the events begin with %q", line)
	}
	phone.want(http.StatusOK, "POST", a+"/password")
	if rest, _ := io.ReadAll(events); !strings.Contains(string(rest), "event: logout") {
		t.Errorf("the events end with %q", rest)
	}
	if _, text := laptop.do("GET", b+"/"); text != "hello, stranger\n" {
		t.Errorf("the laptop after the phone logged out the others: %q", text)
	}

	u, _ := url.Parse(a)
	stolen := phone.Jar.Cookies(u)
	phone.want(http.StatusOK, "POST", a+"/logout")
	phone.Jar.SetCookies(u, stolen)
	phone.want(http.StatusUnauthorized, "POST", a+"/transfer")
	redistest.Wait(t, "the logout to reach the other node", func() bool {
		status, _ := phone.do("POST", b+"/transfer")
		return status == http.StatusUnauthorized
	})
}
