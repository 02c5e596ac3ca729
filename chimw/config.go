package chimw

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/carnet-go/carnet/chimw/overflow"
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

	// Cookie says how the cookie is set. Zero is a cookie for this host alone that
	// no script can read.
	Cookie Cookie

	// Bearer has tokens taken from "Authorization: Bearer" too (RFC 6750 section
	// 2.1). A script can send one, so it needs a place to keep it that other
	// scripts can't read. Bearer tokens are neither renewed nor updated here, and
	// need no check of the origin.
	Bearer bool

	// TrustedOrigins are further origins, "scheme://host[:port]", whose pages may
	// send unsafe requests with the cookie. They can do all that the user can.
	// Browsers send the cookie only from origins of the same site anyway.
	TrustedOrigins []string

	// Overflow keeps session data that does not fit into the cookie, and is asked on
	// each request of such a session. Nodes that read the sessions need it too:
	// without it they answer 503. Nil means that data must fit; what does not is a
	// [*token.SizeError]. Package overflow has the stores.
	Overflow overflow.Store

	// Report gets the reason of each refusal, of each token that Load and Logout
	// did not believe, of each renewal that failed, and of each response that was cut
	// short because its session ended. It is called on the
	// request's goroutine. No reason of this module has a token or a claim in it;
	// the request has the token, so don't log its headers. Package reason has a
	// word for each, and a function that logs them. Nil means that nobody wants to
	// know.
	Report func(r *http.Request, err error)
}

func (c Config) withDefaults() Config {
	if c.Revocation == nil {
		c.Revocation = new(revocation.Memory)
	}
	if c.Cookie.Name == "" {
		c.Cookie.Name = c.Cookie.prefix() + defaultCookie
	}
	if c.Report == nil {
		c.Report = func(*http.Request, error) {}
	}
	return c
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

// must panics with the mistakes that a program made at its start.
func must(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		panic("chimw: " + err.Error())
	}
}
