package chimw_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/token"
)

// A listener takes whatever it is asked to open for a good token.
type listener struct{ heard []string }

func (l *listener) Open(tok string, b token.Binding) (token.Claims, error) {
	l.heard = append(l.heard, tok)
	return claims(time.Now()), nil
}

// FuzzCookieHeader has the guard read any Cookie headers, one a line. What it
// takes for the token must be what package net/http reads, and if there is one
// cookie of the name by the plainest reading it must be found.
func FuzzCookieHeader(f *testing.F) {
	const n = cookieName
	for _, seed := range []string{
		"", ";", "=", n, n + "=", n + "=a", n + "=a; " + n + "=b", n + "=a\n" + n + "=b", "a=b; " + n + "=c; d=e",
		n + `="a"`, n + `="a; b"`, `x="; ` + n + `=a; y="`, "$Version=1; " + n + "=a; $Path=/", " " + n + " = a ",
		n + "\t=a", "\t;" + n + "=a;;", "=" + n + "=a", n + "==a", n + "=a=b", "__host-session=a", "x" + n + "=a",
		n + "=a, " + n + "=b", n + "=\x00", n + "=\u00e9", n + "=a b", n + "=\\", "\v" + n + "=a", "\u00a0" + n + "=a",
		n + "=" + strings.Repeat("a", token.MaxSize), n + "=" + strings.Repeat("a", token.MaxSize+1),
		strings.Repeat("a=b;", 100) + n + "=a", "\"" + n + "\"=a", "%5F_Host-session=a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := new(listener)
		var reason error
		g := chimw.NewGuard(token.NewVerifier[user](l, web), chimw.Config{
			Report: func(_ *http.Request, err error) { reason = err },
		})
		r := newRequest("GET", http.Header{"Cookie": strings.Split(text, "\n")})
		g.Require(hello).ServeHTTP(httptest.NewRecorder(), r)

		values := plainRead(text)
		switch {
		case len(values) == 0:
			if !errors.Is(reason, chimw.ErrNoToken) {
				t.Fatalf("no cookie: %v", reason)
			}
		case len(values) > 1:
			if !errors.Is(reason, chimw.ErrTwoTokens) {
				t.Fatalf("%d cookies: %v", len(values), reason)
			}
		case strings.Contains(values[0], `"`):
			if !errors.Is(reason, token.ErrMalformed) {
				t.Fatalf("quoted: %v", reason)
			}
		case len(values[0]) > token.MaxSize:
			if !errors.Is(reason, token.ErrTooLarge) {
				t.Fatalf("%d bytes: %v", len(values[0]), reason)
			}
		case len(l.heard) != 1 || l.heard[0] != values[0] || reason != nil:
			t.Fatalf("opened %q, want %q: %v", l.heard, values, reason)
		}
		for _, c := range r.CookiesNamed(cookieName) {
			if len(l.heard) == 1 && textproto.TrimString(c.Value) != l.heard[0] {
				t.Fatalf("opened %q, and package net/http reads %q", l.heard[0], c.Value)
			}
			if len(l.heard) == 0 && reason == chimw.ErrNoToken {
				t.Fatalf("package net/http reads %q", c.Value)
			}
		}
	})
}

// plainRead returns the values of all cookies of the name, however broken.
func plainRead(text string) (values []string) {
	for _, pair := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		if strings.Trim(name, " \t\r\n") == cookieName {
			values = append(values, strings.Trim(value, " \t\r\n"))
		}
	}
	return values
}

// FuzzAuthorizationHeader does the same with Authorization headers.
func FuzzAuthorizationHeader(f *testing.F) {
	for _, seed := range []string{
		"", "Bearer", "Bearer ", "Bearer a", "bearer  a", "Bearer a b", "Bearer a, Bearer b", "Bearera", " Bearer a",
		"Bearer\ta", "Basic YTpi", "Bearer a\nBearer b", "Basic YTpi\nBearer a", "Bearer\nBearer a", "Bearer \x00", "\u212aearer a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := new(listener)
		var reason error
		g := chimw.NewGuard(token.NewVerifier[user](l, web), chimw.Config{
			Bearer: true,
			Report: func(_ *http.Request, err error) { reason = err },
		})
		r := newRequest("GET", http.Header{"Authorization": strings.Split(text, "\n")})
		g.Require(hello).ServeHTTP(httptest.NewRecorder(), r)
		var values []string
		for _, line := range strings.Split(text, "\n") {
			if lower := strings.ToLower(line); lower == "bearer" || strings.HasPrefix(lower, "bearer ") {
				values = append(values, strings.TrimLeft(line[len("bearer"):], " "))
			}
		}
		switch {
		case len(values) == 0:
			if !errors.Is(reason, chimw.ErrNoToken) {
				t.Fatalf("no bearer token: %v", reason)
			}
		case len(values) > 1:
			if !errors.Is(reason, chimw.ErrTwoTokens) {
				t.Fatalf("%d bearer tokens: %v", len(values), reason)
			}
		case len(values[0]) > token.MaxSize:
			if !errors.Is(reason, token.ErrTooLarge) {
				t.Fatalf("%d bytes: %v", len(values[0]), reason)
			}
		case len(l.heard) != 1 || l.heard[0] != values[0] || reason != nil:
			t.Fatalf("opened %q, want %q: %v", l.heard, values, reason)
		}
	})
}
