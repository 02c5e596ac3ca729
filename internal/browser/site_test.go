package browser

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

const cookieName = "__Host-session"

type user struct {
	Name  string
	Admin bool
	Pens  int
}

var web = token.Config{Issuer: "example.com", Audience: "web"}

func newRing(t *testing.T) *keys.Ring {
	t.Helper()
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// A site is a server over TLS where people log in.
type site struct {
	*httptest.Server
	sessions *chimw.Sessions[user]
}

func newSite(t *testing.T, ring *keys.Ring, list revocation.List, c chimw.Cookie) *site {
	t.Helper()
	s := &site{sessions: chimw.New(token.NewIssuer[user](ring, web), chimw.Config{Revocation: list, Cookie: c})}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.sessions.Load(http.HandlerFunc(page)))
	mux.Handle("GET /me", s.sessions.Require(http.HandlerFunc(page)))
	mux.HandleFunc("POST /login", s.do(func(w http.ResponseWriter, r *http.Request) error {
		name := r.PostFormValue("name")
		return s.sessions.Login(w, r, name, user{Name: name})
	}))
	mux.Handle("POST /buy", s.sessions.Require(s.do(func(w http.ResponseWriter, r *http.Request) error {
		return s.sessions.Update(w, r, func(u *user) { u.Pens++ })
	})))
	mux.Handle("POST /elevate", s.sessions.Require(s.do(func(w http.ResponseWriter, r *http.Request) error {
		return s.sessions.Elevate(w, r, func(u *user) { u.Admin = true })
	})))
	mux.HandleFunc("POST /logout", s.do(s.sessions.Logout))
	addStreams(mux, s.sessions.Guard)
	s.Server = httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	return s
}

// do answers a form as a site does: back to the page.
func (s *site) do(call func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := call(w, r); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

const forms = `<!doctype html><title>site</title><p id="who">%s</p>
<form id="login" method="post" action="/login"><input name="name" value="alice"></form>
<form id="buy" method="post" action="/buy"></form>
<form id="elevate" method="post" action="/elevate"></form>
<form id="logout" method="post" action="/logout"></form>`

func page(w http.ResponseWriter, r *http.Request) {
	who := "stranger"
	if s, ok := chimw.FromContext[user](r.Context()); ok {
		who = fmt.Sprintf("%s, %d pens, admin %v", s.Data().Name, s.Data().Pens, s.Data().Admin)
	}
	w.Header().Set("Cache-Control", "no-store") // or the back button shows it after a logout
	fmt.Fprintf(w, forms, html.EscapeString(who))
}

// addStreams adds the routes of responses that go on, for a node that may mint or not.
func addStreams(mux *http.ServeMux, g *chimw.Guard[user]) {
	mux.Handle("GET /events", g.Require(http.HandlerFunc(events)))
	mux.Handle("GET /socket", g.Require(http.HandlerFunc(socket)))
}

// events sends one event, and another if the session ends.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "data: begun\n\n")
	http.NewResponseController(w).Flush()
	<-r.Context().Done()
	if loggedOut(r) {
		fmt.Fprint(w, "event: logout\ndata: log in again\n\n")
	}
}

// socket says hello, and goodbye if the session ends.
func socket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	// What is read outlives the session by a moment, or there would be nobody left to
	// say goodbye to.
	gone := c.CloseRead(context.WithoutCancel(r.Context()))
	if c.Write(r.Context(), websocket.MessageText, []byte("begun")) != nil {
		return
	}
	select {
	case <-gone.Done():
	case <-r.Context().Done():
		if loggedOut(r) {
			c.Close(closedByLogout, "log in again")
		}
	}
}
