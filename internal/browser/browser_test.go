package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
)

// patience is for a browser on a busy machine.
const patience = 2 * time.Minute

// A tab is one of a Chromium without a screen.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // which needs another user than root
		chromedp.IgnoreCertErrors)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(cancelTab)
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatalf("no browser (make tools installs it): %v", err)
	}
	ctx, cancelTime := context.WithTimeout(ctx, patience)
	t.Cleanup(cancelTime)
	return &tab{t, ctx}
}

// run returns what an action of the tab gives.
func run[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// come returns the status of the page that comes by these steps.
func (b *tab) come(steps ...chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	resp, err := chromedp.RunResponse(b.ctx, steps...)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.Status
}

func (b *tab) open(address string) int64 {
	b.t.Helper()
	return b.come(chromedp.Navigate(address))
}

func (b *tab) submit(form string) int64 {
	b.t.Helper()
	return b.come(chromedp.Submit(chromedp.CSS(form)))
}

// eval returns what a piece of script gives, after its promises.
func (b *tab) eval(script string) string {
	b.t.Helper()
	return run(b, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
}

// shows wants the page to be for somebody.
func (b *tab) shows(doing, want string) {
	b.t.Helper()
	if got := run(b, chromedp.Text(chromedp.CSS("#who"))); got != want {
		b.t.Errorf("%s: the page is for %q, want %q", doing, got, want)
	}
}

// cookies returns what the browser has for an address, as its developer tools do.
func (b *tab) cookies(address string) []*network.Cookie {
	b.t.Helper()
	got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{address}})
	if err != nil {
		b.t.Fatal(err)
	}
	return got.Cookies
}

// only returns the one cookie for an address.
func (b *tab) only(address string) *network.Cookie {
	b.t.Helper()
	all := b.cookies(address)
	if len(all) != 1 {
		b.t.Fatalf("%d cookies", len(all))
	}
	return all[0]
}

// setCookie plants a value of the session cookie, as a thief would.
func (b *tab) setCookie(address, value string) {
	b.t.Helper()
	yes := true
	_, err := chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{
		Name: cookieName, Value: value, URL: address, Path: "/", Secure: &yes, HTTPOnly: &yes, SameSite: "Lax",
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestASessionInABrowser(t *testing.T) {
	s := newSite(t, newRing(t), new(revocation.Memory), chimw.Cookie{})
	b := newTab(t)
	b.open(s.URL)
	b.shows("before the login", "stranger")
	b.submit("#login")
	b.shows("after the login", "alice, 0 pens, admin false")

	c := b.only(s.URL)
	got := fmt.Sprintln(c.Name, c.Domain, c.Path, c.HTTPOnly, c.Secure, c.SameSite, c.Session)
	if want := fmt.Sprintln(cookieName, "127.0.0.1", "/", true, true, "Lax", true); got != want {
		t.Errorf("the cookie is %s, want %s", got, want)
	}
	if got := b.eval("document.cookie"); got != "" {
		t.Errorf("document.cookie is %q", got)
	}
	b.eval(`document.cookie = "` + cookieName + `=planted; Path=/; Secure"; ""`)
	if b.only(s.URL).Value != c.Value {
		t.Error("a script has replaced the cookie")
	}

	b.submit("#buy")
	b.shows("after an update", "alice, 1 pens, admin false")
	before := b.only(s.URL).Value
	b.submit("#elevate")
	b.shows("after an elevation", "alice, 1 pens, admin true")
	stolen := b.only(s.URL).Value
	b.setCookie(s.URL, before)
	if status := b.open(s.URL + "/me"); status != http.StatusUnauthorized {
		t.Errorf("the cookie from before the elevation: %d", status)
	}
	b.setCookie(s.URL, stolen)
	b.open(s.URL)

	b.submit("#logout")
	b.shows("after the logout", "stranger")
	if left := b.cookies(s.URL); len(left) > 0 {
		t.Errorf("%d cookies after the logout", len(left))
	}
	run(b, chromedp.NavigateBack())
	b.shows("after the back button", "stranger")
	b.setCookie(s.URL, stolen)
	if status := b.open(s.URL + "/me"); status != http.StatusUnauthorized {
		t.Errorf("the cookie from before the logout: %d", status)
	}
}

// A page of another site can send a form, but not the cookie. One of the same host
// on another port can make the browser send it too, and is refused for its origin.
func TestOtherOriginsInABrowser(t *testing.T) {
	s := newSite(t, newRing(t), new(revocation.Memory), chimw.Cookie{})
	evil := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<!doctype html><form id="buy" method="post" action="%[1]s/buy"></form><form id="login" method="post" action="%[1]s/login"><input name="name" value="mallory"></form><form id="logout" method="post" action="%[1]s/logout"></form>`, s.URL)
	}))
	defer evil.Close()
	b := newTab(t)
	b.open(s.URL)
	b.submit("#login")
	otherSite := strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)
	for _, tt := range []struct {
		from, form string
		status     int64
	}{
		{otherSite, "#buy", http.StatusUnauthorized}, // without the cookie
		{otherSite, "#login", http.StatusServiceUnavailable},
		{otherSite, "#logout", http.StatusServiceUnavailable},
		{evil.URL, "#buy", http.StatusForbidden}, // with it
		{evil.URL, "#login", http.StatusServiceUnavailable},
		{evil.URL, "#logout", http.StatusServiceUnavailable},
	} {
		b.open(tt.from)
		if status := b.submit(tt.form); status != tt.status {
			t.Errorf("%s from %s: %d, want %d", tt.form, tt.from, status, tt.status)
		}
	}
	for _, from := range []string{otherSite, evil.URL} {
		b.open(from)
		socket := strings.Replace(s.URL, "https", "wss", 1) + "/socket"
		if got := b.eval(`new Promise(done => { const s = new WebSocket("` + socket + `"); s.onmessage = m => done(m.data); s.onerror = () => done("refused") })`); got != "refused" {
			t.Errorf("a socket from %s: %s", from, got)
		}
	}
	b.open(s.URL)
	b.shows("after all that", "alice, 0 pens, admin false")
}

// A tab that listens hears of a logout elsewhere.
func TestStreamsInABrowser(t *testing.T) {
	s := newSite(t, newRing(t), new(revocation.Memory), chimw.Cookie{})
	b := newTab(t)
	b.open(s.URL)
	b.submit("#login")
	b.eval(`new Promise(begun => {
		window.ended = {}
		const e = new EventSource("/events"), w = new WebSocket("wss://" + location.host + "/socket")
		let n = 0
		e.onmessage = w.onmessage = () => { if (++n == 2) begun("begun") }
		ended.events = new Promise(done => e.addEventListener("logout", m => { e.close(); done(m.data) }))
		ended.socket = new Promise(done => w.onclose = c => done(c.code + " " + c.reason))
	})`)
	// Another client with the same session.
	c := newClient(t, s.Server)
	u, _ := url.Parse(s.URL)
	c.Jar.SetCookies(u, []*http.Cookie{{Name: cookieName, Value: b.only(s.URL).Value, Path: "/", Secure: true}})
	post(t, c, s.URL+"/logout", nil)
	if got := b.eval("ended.events"); got != "log in again" {
		t.Errorf("the events end with %q", got)
	}
	if got := b.eval("ended.socket"); got != "4401 log in again" {
		t.Errorf("the socket ends with %q", got)
	}
}
