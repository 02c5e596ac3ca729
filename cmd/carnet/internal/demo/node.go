package demo

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// A User is what a session of the demo carries.
type User struct {
	Name    string    `json:"name"`
	LoginOn string    `json:"login_on"` // the node
	LoginAt time.Time `json:"login_at"`
}

var config = token.Config{Issuer: "carnet demo", Audience: "web"}

// A node is one server: with sessions if it can mint, with a bare guard and an
// address to forward logins to if it can't.
type node struct {
	name   string
	denied revocation.List
	logs   *log.Logger
	rotate func() (*keys.Set, error)

	sessions *chimw.Sessions[User]
	guard    *chimw.Guard[User]
	require  func(http.Handler) http.Handler
	login    http.Handler
}

// mintWith makes the node one that mints with a ring.
func (n *node) mintWith(ring string) (*keys.Ring, error) {
	r, err := keys.Source{Path: ring, Plain: true}.Open(context.Background())
	if err != nil {
		return nil, err
	}
	n.sessions = chimw.New(token.NewIssuer[User](r, config), n.config())
	n.guard, n.require = n.sessions.Guard, n.sessions.Require
	n.login = http.HandlerFunc(n.logIn)
	return r, nil
}

// verifyWith makes the node one that can only verify.
func (n *node) verifyWith(verifyOnly, minter string) (*keys.VerifyRing, error) {
	r, err := keys.Source{Path: verifyOnly, Plain: true}.OpenVerifyOnly(context.Background())
	if err != nil {
		return nil, err
	}
	n.guard = chimw.NewGuard(token.NewVerifier[User](r, config), n.config())
	n.require = n.guard.Require
	n.login = forwardTo(minter)
	return r, nil
}

func (n *node) config() chimw.Config {
	return chimw.Config{Revocation: n.denied, Report: func(r *http.Request, err error) {
		n.logs.Printf("node %s refused %s %s: %v", n.name, r.Method, r.URL.Path, err)
	}}
}

// forwardTo passes a request on as it came, Host included, so that the other
// side can tell a request of its own pages from a foreign one.
func forwardTo(target string) http.Handler {
	u, err := url.Parse(target)
	if err != nil {
		panic(err) // our own listener's address
	}
	return &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(u)
		p.Out.Host = p.In.Host
	}}
}

func (n *node) handler() http.Handler {
	r := chi.NewRouter()
	r.Use(http.NewCrossOriginProtection().Handler)
	r.Get("/", n.page)
	r.Method("POST", "/login", n.login)
	r.Post("/rotate", n.rotateKeys)
	r.With(n.require).Get("/me", n.me)
	r.With(n.require).Post("/logout", n.logOut)
	r.With(n.require).Post("/logout-everywhere", n.logOutEverywhere)
	return r
}

func (n *node) logIn(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("name")
	if !usable(name) {
		answer(w, http.StatusBadRequest, map[string]string{"error": "the form field name must be 1 to 255 bytes of printable text"})
		return
	}
	user := User{Name: name, LoginOn: n.name, LoginAt: time.Now().UTC().Truncate(time.Second)}
	if err := n.sessions.Login(w, r, name, user); err != nil {
		n.fail(w, "log in", err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"node": n.name, "subject": name})
}

// usable reports whether name can be a subject.
func usable(name string) bool {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	return name != "" && len(name) <= 255 && utf8.ValidString(name) && !strings.ContainsFunc(name, hidden)
}

func (n *node) me(w http.ResponseWriter, r *http.Request) {
	s, _ := chimw.FromContext[User](r.Context())
	answer(w, http.StatusOK, map[string]any{
		"node":       n.name,
		"subject":    s.Subject,
		"session_id": s.SessionID,
		"key_id":     s.KeyID,
		"expires_at": s.ExpiresAt,
		"data":       s.Data(),
	})
}

func (n *node) logOut(w http.ResponseWriter, r *http.Request) {
	if err := n.guard.Logout(w, r); err != nil {
		n.fail(w, "log out", err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"node": n.name, "logged_out": "this session"})
}

func (n *node) logOutEverywhere(w http.ResponseWriter, r *http.Request) {
	if err := n.guard.LogoutEverywhere(w, r); err != nil {
		n.fail(w, "log out everywhere", err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"node": n.name, "logged_out": "all sessions of this subject"})
}

func (n *node) rotateKeys(w http.ResponseWriter, r *http.Request) {
	s, err := n.rotate()
	if err != nil {
		n.fail(w, "rotate", err)
		return
	}
	out := map[string]any{"node": n.name, "generation": s.Generation()}
	for _, k := range s.Keys() {
		if k.State == "active" {
			out["active_key"] = k.ID
		}
	}
	answer(w, http.StatusOK, out)
}

// fail keeps the reason on this side.
func (n *node) fail(w http.ResponseWriter, doing string, err error) {
	n.logs.Printf("node %s could not %s: %v", n.name, doing, err)
	status := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, chimw.ErrCrossOrigin):
		status = http.StatusForbidden
	case errors.Is(err, token.ErrInvalid):
		status = http.StatusUnauthorized
	}
	answer(w, status, map[string]string{"error": http.StatusText(status)})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
