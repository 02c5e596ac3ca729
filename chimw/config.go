package chimw

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// The reasons of this package for a refusal. Those of other packages come as
// they are: [token.ErrExpired], [revocation.ErrRevoked] and so on.
var (
	// ErrNoToken is a request without a token.
	ErrNoToken = fmt.Errorf("%w: the request has none", token.ErrInvalid)

	// ErrTwoTokens is a request with more than one token: two cookies of the
	// name, or a cookie and a bearer token. None of them is looked at.
	ErrTwoTokens = fmt.Errorf("%w: the request has more than one", token.ErrInvalid)

	// ErrCrossOrigin is a request that a page of another origin made the browser
	// send. Its token is not looked at. It is a 403; the rest of the family of
	// [token.ErrInvalid] are 401.
	ErrCrossOrigin = fmt.Errorf("%w: the request comes from another origin", token.ErrInvalid)
)

// Config says how sessions travel. The zero Config is safe, on one node.
type Config struct {
	// Revocation is asked on each request that has a genuine token, and told of
	// each logout. Nil means a list in the memory of this Guard: a session that
	// was logged out here goes on being good on every other node, and here again
	// after a restart.
	Revocation revocation.List

	// CookieName is the name of the cookie. Empty means "__Host-session". Any
	// other must begin with "__Host-" too, which has browsers refuse cookies that
	// a subdomain or a network attacker tries to plant.
	CookieName string

	// Bearer has tokens taken from "Authorization: Bearer" too (RFC 6750 section
	// 2.1). A script can send one, so it needs a place to keep it that other
	// scripts can't read. Bearer tokens are neither renewed nor updated here, and
	// need no check of the origin.
	Bearer bool

	// TrustedOrigins are further origins, "scheme://host[:port]", whose pages may
	// send unsafe requests with the cookie. They can do all that the user can.
	// Browsers send the cookie only from origins of the same site anyway.
	TrustedOrigins []string

	// Report gets the reason of each refusal, of each token that Load and Logout
	// did not believe, and of each renewal that failed. It is called on the request's goroutine. No reason of this module has a
	// token or a claim in it; the request has the token, so don't log its
	// headers. Nil means that nobody wants to know.
	Report func(r *http.Request, err error)
}

const (
	hostPrefix    = "__Host-"
	defaultCookie = hostPrefix + "session"
)

func (c Config) withDefaults() Config {
	if c.Revocation == nil {
		c.Revocation = revocation.NewMemory()
	}
	if c.CookieName == "" {
		c.CookieName = defaultCookie
	}
	if c.Report == nil {
		c.Report = func(*http.Request, error) {}
	}
	return c
}

func (c Config) check() error {
	name, ok := strings.CutPrefix(c.CookieName, hostPrefix)
	if !ok || name == "" {
		return fmt.Errorf("the cookie name %q must begin with %q and go on", c.CookieName, hostPrefix)
	}
	if err := (&http.Cookie{Name: c.CookieName}).Valid(); err != nil {
		return fmt.Errorf("%q can't be the name of a cookie", c.CookieName)
	}
	return nil
}

func (c Config) origins() (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	for _, o := range c.TrustedOrigins {
		if err := p.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("trusted origin: %w", err)
		}
	}
	return p, nil
}

// checkRoom makes sure that each token that can be minted can be sent. Browsers
// drop a cookie of more than maxCookie bytes without a word.
func checkRoom(name cookie, maxToken int) error {
	if n := len(name.line("")) + maxToken; n > maxCookie {
		return fmt.Errorf("a cookie %q with a token of token.Config.MaxSize %d takes %d bytes, and %d are allowed",
			string(name), maxToken, n, maxCookie)
	}
	return nil
}

// must panics with the mistakes that a program made at its start.
func must(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		panic("chimw: " + err.Error())
	}
}
