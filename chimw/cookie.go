package chimw

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carnet-go/carnet/token"
)

// A Cookie says how the cookie is set. The zero Cookie is the safest that works for
// a site of its own. It is one cookie, whole: what does not fit is a
// [*token.SizeError] before anything is written, or goes to [Config].Overflow.
type Cookie struct {
	// Name is the name. Empty means "__Host-session". Any other must begin with
	// "__Host-" too, which has browsers refuse cookies that a subdomain or a
	// network attacker tries to plant (RFC 6265bis section 4.1.3.2). With a Domain
	// it is "__Secure-" instead.
	Name string

	// Domain sends the cookie to each host below it, as in "example.com". Each of
	// them gets every user's session, and can plant cookies for all others: two of
	// the name are refused, so one bad host can log everybody out. For the same reason
	// change Name along with it: browsers keep the cookie of the old one. Empty means
	// this host alone.
	Domain string

	// Strict keeps the cookie from requests that another site's link started
	// (SameSite=Strict): whoever comes by a link is a stranger until he goes on.
	// False means Lax.
	Strict bool

	// Partitioned has the cookie work in a frame on another site's page, with one
	// jar for each such site (CHIPS). It is sent with SameSite=None, as it must be;
	// what is left against other sites' pages is the check of the origin.
	Partitioned bool

	// InsecureLocalhost is for development, with plain http: no Secure, and a name
	// without a prefix, "session" if it is empty. For any other host than localhost
	// or a loopback address whatever has to do with a session is a 503, so that it
	// can't be left on by mistake.
	InsecureLocalhost bool

	// ClearSiteData is what else the browser is to delete after a logout: "cache",
	// "storage", "cookies" (all of the site) or another type of the Clear-Site-Data
	// header. Empty means nothing.
	ClearSiteData []string
}

const (
	hostPrefix    = "__Host-"
	securePrefix  = "__Secure-"
	defaultCookie = "session"

	maxCookie = 4096 // bytes with name and attributes that a browser must keep, RFC 6265 section 6.1

	// maxAgeSize is the room of a Max-Age, which the cookies of long sessions have.
	maxAgeSize = len("; Max-Age=") + len("315360000")
)

// siteData are the types of the Clear-Site-Data header. A browser ignores others
// without a word.
var siteData = []string{"cache", "clientHints", "cookies", "executionContexts", "prefetchCache", "prerenderCache", "storage", "*"}

func (c Cookie) prefix() string {
	switch {
	case c.InsecureLocalhost:
		return ""
	case c.Domain != "":
		return securePrefix
	}
	return hostPrefix
}

func (c Cookie) check() error {
	rest, ok := strings.CutPrefix(c.Name, c.prefix())
	switch {
	case !ok || rest == "" || c.InsecureLocalhost && strings.HasPrefix(c.Name, "__"):
		return fmt.Errorf("the cookie name %q must begin with %q and go on", c.Name, c.prefix())
	case (&http.Cookie{Name: c.Name}).Valid() != nil:
		return fmt.Errorf("%q can't be the name of a cookie", c.Name)
	case c.Domain != "" && (!strings.Contains(strings.Trim(c.Domain, "."), ".") || c.Domain[0] == '.' ||
		(&http.Cookie{Name: c.Name, Domain: c.Domain}).Valid() != nil):
		return fmt.Errorf("%q can't be the domain of a cookie: write it as example.com", c.Domain)
	case c.Partitioned && c.Strict:
		return fmt.Errorf("a Strict cookie is never sent from a frame: it can't be Partitioned too")
	case c.InsecureLocalhost && (c.Domain != "" || c.Partitioned):
		return fmt.Errorf("an InsecureLocalhost cookie has no Domain and can't be Partitioned")
	}
	for _, d := range c.ClearSiteData {
		if !slices.Contains(siteData, d) {
			return fmt.Errorf("ClearSiteData has %q; there is %s", d, strings.Join(siteData, ", "))
		}
	}
	return nil
}

// errNotLocalhost says nothing about the token, so it is a 503.
var errNotLocalhost = errors.New("chimw: Cookie.InsecureLocalhost is set, and the request is for another host")

// isLocalhost reports whether a Host header names this machine (RFC 6761 section
// 6.3).
func isLocalhost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// A cookie is a Cookie in the text of headers.
type cookie struct {
	name      string
	before    string // the attributes before the Max-Age
	after     string // and after it
	siteData  string // of Clear-Site-Data, or empty
	localhost bool   // the only host
}

func newCookie(c Cookie) *cookie {
	t := &cookie{name: c.Name, before: "; Path=/", after: "; HttpOnly", localhost: c.InsecureLocalhost}
	if c.Domain != "" {
		t.before += "; Domain=" + c.Domain
	}
	if !c.InsecureLocalhost {
		t.after += "; Secure"
	}
	switch {
	case c.Partitioned:
		t.after += "; SameSite=None; Partitioned"
	case c.Strict:
		t.after += "; SameSite=Strict"
	default:
		t.after += "; SameSite=Lax"
	}
	if len(c.ClearSiteData) > 0 {
		t.siteData = `"` + strings.Join(c.ClearSiteData, `", "`) + `"`
	}
	return t
}

// room returns how long a token may be to fit. Browsers drop a cookie of more than
// maxCookie bytes without a word.
func (c *cookie) room(longest time.Duration) int {
	n := maxCookie - len(c.line("", ""))
	if longest > remembered {
		n -= maxAgeSize
	}
	return n
}

func (c *cookie) line(tok, maxAge string) string {
	return c.name + "=" + tok + c.before + maxAge + c.after
}

// remembered is how long a session must be able to idle for its cookie to outlive
// the browser.
const remembered = 24 * time.Hour

// maxAge returns the Max-Age of a session's cookie, or nothing for a cookie that
// goes when the browser is closed. Whoever may be away for more than a day is to be
// remembered. The last token of a session may live shorter, and tells nothing.
func maxAge(c *token.Claims) string {
	idle := c.ExpiresAt.Sub(c.IssuedAt)
	if !c.ExpiresAt.Before(c.EndsAt) {
		idle = c.EndsAt.Sub(c.StartedAt)
	}
	if idle <= remembered {
		return ""
	}
	return "; Max-Age=" + strconv.FormatInt(int64(c.ExpiresAt.Sub(c.IssuedAt)/time.Second), 10)
}

// set has the response set the cookie to a token that says c.
func (c *cookie) set(h http.Header, tok string, claims *token.Claims) {
	c.replace(h, c.line(tok, maxAge(claims)))
}

// clear has the response delete the cookie.
func (c *cookie) clear(h http.Header) {
	c.replace(h, c.line("", "; Max-Age=0"))
	if c.siteData != "" {
		h.Set("Clear-Site-Data", c.siteData)
	}
}

// replace makes line the only one in the response that is about the cookie.
func (c *cookie) replace(h http.Header, line string) {
	h["Set-Cookie"] = append(c.others(h), line)
	h.Set("Cache-Control", "no-store")
}

// drop has the response say nothing about the cookie.
func (c *cookie) drop(h http.Header) {
	if others := c.others(h); len(others) > 0 {
		h["Set-Cookie"] = others
	} else {
		h.Del("Set-Cookie")
	}
}

// others returns the lines of the response that are about other cookies.
func (c *cookie) others(h http.Header) []string {
	return slices.DeleteFunc(h["Set-Cookie"], func(l string) bool {
		_, ours := c.cut(l)
		return ours
	})
}

// pending returns what the response sets the cookie to: empty if it clears it.
func (c *cookie) pending(h http.Header) (tok string, ok bool) {
	for _, line := range h["Set-Cookie"] {
		if tok, ok = c.cut(line); ok {
			return tok, true
		}
	}
	return "", false
}

func (c *cookie) cut(line string) (tok string, ok bool) {
	rest, ok := strings.CutPrefix(line, c.name+"=")
	tok, _, _ = strings.Cut(rest, ";")
	return tok, ok
}
