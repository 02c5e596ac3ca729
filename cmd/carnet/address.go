package main

import (
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/carnet-go/carnet/keys/kek"
)

// addressLike is what somebody meant as an address, with a slip in it or not. A path
// that begins so can be given as ./PATH.
var addressLike = regexp.MustCompile(`(?i)^\s*(rediss?:|unix:|[a-z][a-z0-9+.-]*://)`)

// checkName refuses what is no name of a ring or of a denylist. It does not repeat
// it: what is in the wrong place may be a secret.
func checkName(what, name string, schemes ...string) error {
	switch {
	case name == "":
		return usageError("the name of the %s is empty", what)
	case isToken(name):
		return usageError("that is a token, not a %s", what)
	case isKey(name):
		return usageError("that is a key, not the name of a %s; if it is a path, write it as ./PATH", what)
	case addressLike.MatchString(name) && !hasScheme(name, schemes...):
		return usageError("that is no address of a %s: it begins with %s, in small letters and with nothing before it", what, strings.Join(schemes, " or "))
	}
	return nil
}

func hasScheme(name string, schemes ...string) bool {
	for _, s := range schemes {
		if strings.HasPrefix(name, s) {
			return true
		}
	}
	return false
}

// isKey finds a key-encryption key in the place of a name.
func isKey(s string) bool {
	if _, err := kek.Parse(s); err != nil && !strings.HasPrefix(s, "verify-only:") {
		return false
	}
	_, err := os.Lstat(s)
	return err != nil // some paths of 43 letters look like one
}

// shownOptions of an address have no secret in them.
var shownOptions = []string{"prefix", "db", "addr", "master_name"}

// shown is an address for a person. It is put together from what is known to be no
// secret: a password may also be the name of the user, or an option.
func shown(u *url.URL) string {
	out := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if _, ok := u.User.Password(); ok {
		out.User = url.UserPassword(u.User.Username(), "xxxxx")
	} else if u.User != nil {
		out.User = url.User("xxxxx")
	}
	options := url.Values{}
	for _, name := range shownOptions {
		for _, value := range u.Query()[name] {
			if !strings.Contains(value, "@") {
				options.Add(name, value)
			}
		}
	}
	out.RawQuery = options.Encode()
	return out.String()
}
