package chimw_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

func TestContextsPrintNoSecrets(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	send(n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			for _, c := range []context.Context{r.Context(), ctx} {
				if out := fmt.Sprintf(verb, c); strings.Contains(out, tok[:16]) || strings.Contains(out, "lice") {
					t.Errorf("%s prints %s", verb, out)
				}
			}
		}
	})), "GET", withCookie(tok))
}

// Cancelling reaches through the context that carries the session.
func TestContextIsTheRequests(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	type key struct{}
	ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
	r := newRequest("GET", withCookie(tok)).WithContext(ctx)
	n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		child, stop := context.WithCancel(r.Context())
		defer stop()
		cancel(errDown)
		if <-child.Done(); context.Cause(child) != errDown || r.Context().Value(key{}) != "value" {
			t.Errorf("cause %v, value %v", context.Cause(child), r.Context().Value(key{}))
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestNestedMiddlewareAsksOnce(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	resp := send(n.Load(n.Load(n.Require(n.Guard.Require(hello)))), "GET", withCookie(tok))
	if got := body(t, resp); got != "hello, Alice map[]" || n.list.checks != 1 {
		t.Errorf("%q after %d checks", got, n.list.checks)
	}
	if !slices.Equal(resp.Header["Vary"], []string{"Cookie"}) {
		t.Errorf("Vary: %q", resp.Header["Vary"])
	}
	if resp := send(n.Load(n.Require(hello)), "GET", header()); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", resp.StatusCode)
	}
}

// A handler may serve a batch by sending requests with its own context.
func TestASubrequestNeedsItsOwnSession(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	tok, _ := n.issue(t)
	bob, _, err := n.issuer.Issue("bob", user{Name: "Bob"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		header http.Header
		want   string
	}{
		"the same":       {withCookie(tok), "hello, Alice map[]"},
		"nothing":        {header(), "Unauthorized\n"},
		"two":            {withCookie(tok + "; " + cookieName + "=x"), "Unauthorized\n"},
		"somebody else":  {withCookie(bob), "hello, Bob map[]"},
		"another manner": {header("Authorization: Bearer " + bob), "hello, Bob map[]"},
	} {
		var got string
		send(n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sub := httptest.NewRecorder()
			n.Require(hello).ServeHTTP(sub, newRequest("GET", tt.header).WithContext(r.Context()))
			got = sub.Body.String()
		})), "GET", withCookie(tok))
		if got != tt.want {
			t.Errorf("with %s: %q", name, got)
		}
	}
}

// What a handler has logged in is for the credential that the request came with, and
// for no other, although none of them stands for a session.
func TestALoginIsForTheCredentialOfTheRequest(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	creds := map[string]http.Header{
		"nothing":         header(),
		"an empty cookie": withCookie(""),
		"a quoted one":    withCookie(`"x"`),
		"another":         withCookie("x"),
		"an empty bearer": header("Authorization: Bearer "),
		"another bearer":  header("Authorization: Bearer x"),
	}
	for came, before := range creds {
		for went, after := range creds {
			sub := httptest.NewRecorder()
			send(n.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := n.Login(w, r, "alice", user{Name: "Alice"}); err != nil {
					t.Error(err)
				}
				n.Require(hello).ServeHTTP(sub, newRequest("GET", after).WithContext(r.Context()))
			})), "GET", before)
			if passed := sub.Code == http.StatusOK; passed != (came == went) {
				t.Errorf("it came with %s, and with %s gets %d", came, went, sub.Code)
			}
		}
	}
}

// Two guards for one type of data, as for users and for their support.
func TestGuardsDoNotMix(t *testing.T) {
	users, staff := newNode(t, chimw.Config{}), newNode(t, chimw.Config{Cookie: chimw.Cookie{Name: "__Host-staff"}})
	tok, _ := users.issue(t)
	staffTok, _, err := staff.issuer.Issue("bob", user{Name: "Bob"})
	if err != nil {
		t.Fatal(err)
	}
	both := withCookie(tok + "; __Host-staff=" + staffTok)
	for want, h := range map[string]http.Handler{
		"hello, Alice map[]": staff.Load(users.Require(hello)),
		"hello, Bob map[]":   staff.Load(users.Load(staff.Require(hello))),
		"hello, stranger":    users.Load(chimw.NewGuard(staff.issuer.Verifier(), chimw.Config{Cookie: chimw.Cookie{Name: "__Host-third"}}).Load(hello)),
	} {
		if got := body(t, send(h, "GET", both)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	resp := send(users.Require(staff.Require(do(users.Logout))), "POST", both)
	if !isCleared(resp.Header) || len(resp.Header["Set-Cookie"]) != 1 {
		t.Errorf("headers: %v", resp.Header)
	}
	if resp := send(users.Require(hello), "GET", both); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("logged out of one: %d", resp.StatusCode)
	}
	if resp := send(staff.Require(hello), "GET", both); resp.StatusCode != http.StatusOK {
		t.Errorf("not logged out of the other: %d", resp.StatusCode)
	}
}

func TestOtherDataIsNotFound(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	send(n.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := chimw.FromContext[string](r.Context()); ok || s != nil {
			t.Error("found a session with data of another type")
		}
	})), "GET", withCookie(tok))
	if s, ok := chimw.FromContext[user](t.Context()); ok || s != nil {
		t.Error("found a session in a context that has none")
	}
}

// What a handler changes in its session is in no other, of this request or the next, and
// in no token.
func TestEachHandlerHasASessionOfItsOwn(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	meddle := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 2 {
			s, _ := chimw.FromContext[user](r.Context())
			if s.Subject != "alice" || s.Data().Name != "Alice" {
				t.Error("it has what another handler made of it")
			}
			s.Subject, s.EndsAt, s.Raw = "mallory", s.EndsAt.Add(time.Hour), "null"
			s.SetData(user{Name: "Mallory"})
		}
		if err := n.Update(w, r, func(u *user) { u.Cart = map[string]int{"pen": u.Cart["pen"] + 1} }); err != nil {
			t.Error(err)
		}
	})
	for range 2 {
		resp := send(n.Require(meddle), "GET", withCookie(tok))
		tok = set(t, resp.Header)
		if s, err := n.issuer.Verifier().Verify(tok); err != nil || s.Subject != "alice" || s.Data().Name != "Alice" {
			t.Errorf("the next token is another's: %v", err)
		}
	}
}

// Data that can't be copied is shared by the handlers of one request, and no other has it.
func TestDataThatCannotBeCopiedIsOfOneRequest(t *testing.T) {
	issuer := token.NewIssuer[map[string]any](newRing(t), web)
	tok, _, err := issuer.Issue("alice", map[string]any{"name": "Alice"})
	if err != nil {
		t.Fatal(err)
	}
	served := 0
	h := chimw.NewGuard(issuer.Verifier(), chimw.Config{Revocation: new(revocation.Memory)}).Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		s, _ := chimw.FromContext[map[string]any](r.Context())
		if s.Data()["name"] != "Alice" {
			t.Error("it has what a handler made of it in another request")
		}
		s.Data()["name"] = "Mallory"
		if next, _ := chimw.FromContext[map[string]any](r.Context()); next.Data()["name"] != "Mallory" {
			t.Error("it is not shared: say so where it is documented")
		}
	}))
	for range 3 {
		send(h, "GET", withCookie(tok))
	}
	if served != 3 {
		t.Errorf("served %d requests", served)
	}
}

func TestTheResponseWriterIsNotWrapped(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	w := httptest.NewRecorder()
	n.Load(n.Require(http.HandlerFunc(func(got http.ResponseWriter, r *http.Request) {
		if got != http.ResponseWriter(w) {
			t.Errorf("got a %T", got)
		}
	}))).ServeHTTP(w, newRequest("GET", withCookie(tok)))
}

func TestFlushAndHijack(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	mux := http.NewServeMux()
	mux.Handle("/flush", n.Require(do(func(w http.ResponseWriter, r *http.Request) error {
		fmt.Fprint(w, "flushed")
		return http.NewResponseController(w).Flush()
	})))
	mux.Handle("/hijack", n.Require(do(func(w http.ResponseWriter, r *http.Request) error {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		fmt.Fprint(buf, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nhijacked")
		return buf.Flush()
	})))
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	b := newBrowser(t, server)
	b.setCookies([]*http.Cookie{{Name: cookieName, Value: tok, Path: "/", Secure: true}})
	for path, want := range map[string]string{"/flush": "flushed", "/hijack": "hijacked"} {
		status, text := b.get(path)
		b.expect(path, status, text, http.StatusOK, want)
	}
}

// What the middleware adds to a handler, beside the verification: its state, the
// request with it, and the Vary header. A quoted token goes all the way up to the
// ring, which keeps buffers of its own and would blur the count.
func TestTheMiddlewareIsLean(t *testing.T) {
	n := newNode(t, chimw.Config{})
	guard := chimw.NewGuard(n.issuer.Verifier(), chimw.Config{Bearer: true})
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
	})
	r := newRequest("POST", header("Sec-Fetch-Site: same-origin", `Cookie: a=b; `+cookieName+`="x"; c=d`))
	w := httptest.NewRecorder()
	count := func(h http.Handler) float64 {
		return testing.AllocsPerRun(200, func() {
			clear(w.Header())
			h.ServeHTTP(w, r)
		})
	}
	if added := count(guard.Load(bare)) - count(bare); added > 3 {
		t.Errorf("the middleware adds %v allocations", added)
	}
}

// A token that was seen before costs its request the state, with the session in it for as
// long as the handler runs.
func TestAHitIsLean(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	guard := chimw.NewGuard(token.NewVerifier[struct{}](n.ring, web), chimw.Config{Revocation: new(revocation.Memory)})
	answer := func(w http.ResponseWriter, subject string) { w.Header()["Subject"] = []string{subject} }
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, "nobody") })
	mine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := chimw.FromContext[struct{}](r.Context()); ok {
			answer(w, s.Subject)
		}
	})
	r, w := newRequest("GET", withCookie(tok)), httptest.NewRecorder()
	count := func(h http.Handler) float64 {
		return testing.AllocsPerRun(200, func() {
			clear(w.Header())
			h.ServeHTTP(w, r)
		})
	}
	without := count(bare)
	if added := count(guard.Require(mine)) - without; added > 1 || w.Header().Get("Subject") != "alice" {
		t.Errorf("a hit adds %v allocations, for %v", added, w.Header())
	}
}
