package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/kek"
)

func startDemo(t *testing.T) (d *Demo, logs *safeBuffer) {
	t.Helper()
	logs = new(safeBuffer)
	d, err := Start("127.0.0.1:0", logs, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, logs
}

// Whoever tries the demo may have a key for rings of his own.
func TestAKeyInTheEnvironmentIsNotForTheDemo(t *testing.T) {
	t.Setenv("CARNET_RING_KEY", kek.Generate())
	d, _ := startDemo(t)
	if _, err := d.Rotate(); err != nil {
		t.Error(err)
	}
}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// An answer is what a node said.
type response struct {
	status int
	cookie string // "name=value", if one was set
	body   struct {
		Node, Subject, Session, Key string
		Data                        User
	}
	text string
}

func send(t testing.TB, method, url, cookie, form string) (out response) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	out.status, out.text = resp.StatusCode, string(text)
	var body struct {
		Node    string `json:"node"`
		Subject string `json:"subject"`
		Session string `json:"session_id"`
		Key     string `json:"key_id"`
		Data    User   `json:"data"`
	}
	if json.Unmarshal(text, &body) == nil {
		out.body.Node, out.body.Subject, out.body.Session, out.body.Key, out.body.Data =
			body.Node, body.Subject, body.Session, body.Key, body.Data
	}
	for _, c := range resp.Cookies() {
		out.cookie = c.Name + "=" + c.Value
	}
	return out
}

// logIn returns the cookie of a new session.
func logIn(t testing.TB, base, name string) string {
	t.Helper()
	r := send(t, "POST", base+"/login", "", url.Values{"name": {name}}.Encode())
	if r.status != http.StatusOK || r.cookie == "" {
		t.Fatalf("login: %d %s", r.status, r.text)
	}
	return r.cookie
}

func TestLoginOnAReadOnBAndC(t *testing.T) {
	d, _ := startDemo(t)
	refused := 0
	for i := range 500 {
		cookie := logIn(t, d.Nodes[0].URL, fmt.Sprint("user ", i))
		for _, n := range d.Nodes[1:] {
			if r := send(t, "GET", n.URL+"/me", cookie, ""); r.status != http.StatusOK || r.body.Node != n.Name {
				refused++
			}
		}
	}
	if refused > 0 {
		t.Errorf("%d of 1000 reads refused", refused)
	}
}

func TestANodeThatCannotMintForwardsTheLogin(t *testing.T) {
	d, _ := startDemo(t)
	cookie := logIn(t, d.Nodes[1].URL, "alice")
	r := send(t, "GET", d.Nodes[2].URL+"/me", cookie, "")
	if r.body.Subject != "alice" || r.body.Data.LoginOn != "A" || r.body.Session == "" || r.body.Key == "" {
		t.Errorf("got %s", r.text)
	}
}

func TestLogoutOnC(t *testing.T) {
	d, logs := startDemo(t)
	cookie, other := logIn(t, d.Front, "alice"), logIn(t, d.Front, "alice")
	if r := send(t, "POST", d.Nodes[2].URL+"/logout", cookie, ""); r.status != http.StatusOK {
		t.Fatalf("logout: %d %s", r.status, r.text)
	}
	for _, n := range d.Nodes {
		if r := send(t, "GET", n.URL+"/me", cookie, ""); r.status != http.StatusUnauthorized {
			t.Errorf("node %s takes the replayed cookie: %d", n.Name, r.status)
		}
		if r := send(t, "GET", n.URL+"/me", other, ""); r.status != http.StatusOK {
			t.Errorf("node %s refuses another session: %d", n.Name, r.status)
		}
	}
	if out := logs.String(); !strings.Contains(out, "revoked") || strings.Contains(out, cookie[20:40]) || strings.Contains(out, "alice") {
		t.Errorf("the log says %s", out)
	}
}

func TestLogoutEverywhere(t *testing.T) {
	d, _ := startDemo(t)
	a, b, bob := logIn(t, d.Front, "alice"), logIn(t, d.Front, "alice"), logIn(t, d.Front, "bob")
	send(t, "POST", d.Nodes[1].URL+"/logout-everywhere", a, "")
	again := logIn(t, d.Front, "alice")
	for _, n := range d.Nodes {
		for name, want := range map[string]int{a: 401, b: 401, bob: 200, again: 200} {
			if r := send(t, "GET", n.URL+"/me", name, ""); r.status != want {
				t.Errorf("node %s: %d, want %d", n.Name, r.status, want)
			}
		}
	}
}

func TestRotateUnderTraffic(t *testing.T) {
	const rotations, requests = 20, 20_000
	d, _ := startDemo(t)
	var served, refused atomic.Int64
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			var cookie string
			for served.Load() < requests {
				if n := served.Add(1); cookie == "" || n%50 == 0 {
					cookie = logIn(t, d.Front, fmt.Sprint("client ", i))
				}
				if r := send(t, "GET", d.Front+"/me", cookie, ""); r.status != http.StatusOK {
					refused.Add(1)
				}
			}
		})
	}
	type issued struct{ cookie, key string }
	var before []issued
	for i := range rotations {
		cookie := logIn(t, d.Front, "keeper")
		before = append(before, issued{cookie, send(t, "GET", d.Front+"/me", cookie, "").body.Key})
		if r := send(t, "POST", d.Front+"/rotate", "", ""); r.status != http.StatusOK {
			t.Fatalf("rotate: %d %s", r.status, r.text)
		}
		for served.Load() < int64(requests/rotations*(i+1)) && !t.Failed() {
			send(t, "GET", d.Front+"/me", cookie, "")
		}
	}
	clients.Wait()
	if refused.Load() > 0 {
		t.Errorf("%d of %d requests refused", refused.Load(), served.Load())
	}
	pruned := before[3]
	for _, b := range before {
		if r := send(t, "GET", d.Front+"/me", b.cookie, ""); r.status != http.StatusOK {
			t.Errorf("a token from before a rotation: %d", r.status)
		}
	}
	if _, err := (keys.Source{Path: d.Ring}).Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Prune(true, pruned.key) }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Rotate(); err != nil {
		t.Fatal(err)
	}
	for _, b := range before {
		want := http.StatusOK
		if b.key == pruned.key {
			want = http.StatusUnauthorized
		}
		if r := send(t, "GET", d.Front+"/me", b.cookie, ""); r.status != want {
			t.Errorf("after the prune: %d, want %d", r.status, want)
		}
	}
}

func TestBadLoginsAreTheClientsFault(t *testing.T) {
	d, _ := startDemo(t)
	for name, want := range map[string]int{"": 400, "\x00": 400, "\xff": 400, "\u202e": 400, strings.Repeat("x", 256): 400, strings.Repeat("x", 255): 200} {
		r := send(t, "POST", d.Front+"/login", "", url.Values{"name": {name}}.Encode())
		if r.status != want || (r.cookie != "") != (want == 200) {
			t.Errorf("%q: %d %s", name, r.status, r.text)
		}
	}
	cookie := logIn(t, d.Front, "alice")
	if r := send(t, "POST", d.Front+"/login", cookie+"; "+cookie, "name=alice"); r.status != 401 {
		t.Errorf("two cookies: %d %s", r.status, r.text)
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	d, _ := startDemo(t)
	for _, path := range []string{"/login", "/logout", "/rotate"} {
		req, _ := http.NewRequest("POST", d.Front+path, strings.NewReader("name=mallory"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://evil.example")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}
