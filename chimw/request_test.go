package chimw_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/token"
)

func TestASessionPasses(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	for name, h := range map[string]http.Header{
		"alone":                 withCookie(tok),
		"with spaces":           header("Cookie:   " + cookieName + " = " + tok + " "),
		"among others":          header("Cookie: a=b; " + cookieName + "=" + tok + "; c=\"d\""),
		"in the second header":  header("Cookie: a=b", "Cookie: "+cookieName+"="+tok),
		"after a semicolon":     header("Cookie: ;; " + cookieName + "=" + tok + ";"),
		"beside one in capital": header("Cookie: __HOST-SESSION=x; " + cookieName + "=" + tok),
		"beside Authorization":  header("Cookie: "+cookieName+"="+tok, "Authorization: Bearer "+tok),
	} {
		t.Run(name, func(t *testing.T) {
			for _, m := range []func(http.Handler) http.Handler{n.Require, n.Load, n.Guard.Require, n.Guard.Load} {
				resp := send(m(hello), "GET", h)
				if got := body(t, resp); resp.StatusCode != http.StatusOK || got != "hello, Alice map[]" || len(ours(resp.Header)) > 0 {
					t.Errorf("got %d %q %v", resp.StatusCode, got, resp.Header)
				}
			}
		})
	}
	if len(n.reasons) > 0 {
		t.Errorf("reported %v", n.reasons)
	}
}

func TestATokenInTheURLIsNotRead(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	tok, _ := n.issue(t)
	r := httptest.NewRequest("GET", "https://example.com/?access_token="+tok+"&"+cookieName+"="+tok, nil)
	w := httptest.NewRecorder()
	n.Require(hello).ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("got %d", w.Code)
	}
}

func TestTwoTokensInAnyOrder(t *testing.T) {
	n := newNode(t, chimw.Config{})
	tok, _ := n.issue(t)
	for _, planted := range []string{
		cookieName + "=" + tok, // the very same
		cookieName + "=",
		cookieName,
		cookieName + "=x",
		cookieName + `="x"`,
		cookieName + " =x",
		"\t" + cookieName + "\t=\tx",
		cookieName + "=\\\x7f", // which package net/http skips
	} {
		for _, lines := range [][]string{
			{"Cookie: " + cookieName + "=" + tok + "; " + planted},
			{"Cookie: " + planted + "; " + cookieName + "=" + tok},
			{"Cookie: " + planted, "Cookie: a=b; " + cookieName + "=" + tok},
			{"Cookie: a=b;" + cookieName + "=" + tok, "Cookie: " + planted},
			{"Cookie: $Version=1; " + planted + "; $Path=/; " + cookieName + "=" + tok},
		} {
			n.reasons = nil
			if resp := send(n.Require(hello), "GET", header(lines...)); resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%q beside a good one: %d", planted, resp.StatusCode)
			}
			if len(n.reasons) != 1 || !errors.Is(n.reasons[0], chimw.ErrTwoTokens) {
				t.Errorf("%q beside a good one: %v", planted, n.reasons)
			}
		}
	}
	if n.list.checks > 0 {
		t.Error("the list was asked")
	}
}

func TestBearer(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	tok, _ := n.issue(t)
	for name, tt := range map[string]struct {
		header http.Header
		reason error // nil passes
	}{
		"bearer":                {header("Authorization: Bearer " + tok), nil},
		"in lower case":         {header("Authorization: bearer   " + tok), nil},
		"cookie":                {withCookie(tok), nil},
		"cookie and basic":      {header("Cookie: "+cookieName+"="+tok, "Authorization: Basic YTpi"), nil},
		"basic":                 {header("Authorization: Basic YTpi"), chimw.ErrNoToken},
		"another scheme":        {header("Authorization: Bearers " + tok), chimw.ErrNoToken},
		"nothing":               {header(), chimw.ErrNoToken},
		"no token":              {header("Authorization: Bearer"), token.ErrMalformed},
		"an empty one":          {header("Authorization: Bearer "), token.ErrMalformed},
		"something behind":      {header("Authorization: Bearer " + tok + " x"), token.ErrInvalid},
		"a list":                {header("Authorization: Bearer " + tok + ", Bearer " + tok), token.ErrInvalid},
		"large":                 {header("Authorization: Bearer " + strings.Repeat("a", token.MaxSize+1)), token.ErrTooLarge},
		"two":                   {header("Authorization: Bearer "+tok, "Authorization: Bearer "+tok), chimw.ErrTwoTokens},
		"a large one and one":   {header("Authorization: Bearer "+strings.Repeat("a", token.MaxSize+1), "Authorization: bearer "+tok), chimw.ErrTwoTokens},
		"with a cookie":         {header("Cookie: "+cookieName+"="+tok, "Authorization: Bearer "+tok), chimw.ErrTwoTokens},
		"with an empty cookie":  {header("Cookie: "+cookieName+"=", "Authorization: Bearer "+tok), chimw.ErrTwoTokens},
		"empty with a cookie":   {header("Cookie: "+cookieName+"="+tok, "Authorization: Bearer"), chimw.ErrTwoTokens},
		"with two cookies":      {header("Cookie: "+cookieName+"=a; "+cookieName+"=b", "Authorization: Bearer "+tok), chimw.ErrTwoTokens},
		"with an unrelated one": {header("Cookie: a=b", "Authorization: Bearer "+tok), nil},
	} {
		t.Run(name, func(t *testing.T) {
			n.reasons = nil
			resp := send(n.Require(hello), "GET", tt.header)
			if tt.reason == nil {
				if resp.StatusCode != http.StatusOK {
					t.Errorf("got %d: %v", resp.StatusCode, n.reasons)
				}
				return
			}
			if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("got %d %v", resp.StatusCode, resp.Header)
			}
			if len(n.reasons) != 1 || !errors.Is(n.reasons[0], tt.reason) {
				t.Errorf("reported %v, want %v", n.reasons, tt.reason)
			}
		})
	}
}

func TestCrossOrigin(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true, TrustedOrigins: []string{"https://app.example.com"}})
	tok, _ := n.issue(t)
	const ok, no = http.StatusOK, http.StatusForbidden
	for _, tt := range []struct {
		method string
		lines  string // separated by |
		want   int
	}{
		{"POST", "", ok}, // no browser
		{"POST", "Sec-Fetch-Site: same-origin", ok},
		{"POST", "Sec-Fetch-Site: none", ok},
		{"POST", "Sec-Fetch-Site: cross-site", no},
		{"POST", "Sec-Fetch-Site: same-site", no},
		{"PUT", "Sec-Fetch-Site: cross-site", no},
		{"DELETE", "Sec-Fetch-Site: cross-site", no},
		{"QUERY", "Sec-Fetch-Site: cross-site", no},
		{"GET", "Sec-Fetch-Site: cross-site", ok},
		{"HEAD", "Sec-Fetch-Site: cross-site", ok},
		{"POST", "Origin: https://example.com", ok},
		{"POST", "Origin: https://evil.example", no},
		{"POST", "Origin: null", no},
		{"POST", "Origin: https://app.example.com|Sec-Fetch-Site: same-site", ok},
		{"POST", "Origin: https://app.example.com.evil.example|Sec-Fetch-Site: cross-site", no},
		{"GET", "Upgrade: websocket|Origin: https://evil.example", no},
		{"GET", "Upgrade: websocket|Sec-Fetch-Site: cross-site", no},
		{"GET", "Upgrade: websocket|Origin: https://example.com", ok},
		{"GET", "Upgrade: websocket|Origin: https://app.example.com", ok},
		{"CONNECT", "Origin: https://evil.example", no}, // a WebSocket in HTTP/2
	} {
		t.Run(tt.method+" "+tt.lines, func(t *testing.T) {
			lines := strings.Split(tt.lines, "|")
			for _, m := range []func(http.Handler) http.Handler{n.Require, n.Load} {
				n.reasons, n.list.checks = nil, 0
				resp := send(m(hello), tt.method, header(append(lines, "Cookie: "+cookieName+"="+tok)...))
				if resp.StatusCode != tt.want {
					t.Errorf("with the cookie: %d, want %d", resp.StatusCode, tt.want)
				}
				if tt.want == no && (len(n.reasons) != 1 || n.reasons[0] != chimw.ErrCrossOrigin || n.list.checks > 0 || len(ours(resp.Header)) > 0) {
					t.Errorf("reported %v after %d checks: %v", n.reasons, n.list.checks, resp.Header)
				}
				if resp := send(m(hello), tt.method, header(append(lines, "Authorization: Bearer "+tok)...)); resp.StatusCode != ok {
					t.Errorf("with a bearer token: %d", resp.StatusCode)
				}
			}
			two := header(append(lines, "Cookie: "+cookieName+"=a; "+cookieName+"=b")...)
			if resp := send(n.Load(hello), tt.method, two); resp.StatusCode != tt.want {
				t.Errorf("with two tokens: %d, want %d", resp.StatusCode, tt.want)
			}
			if resp := send(n.Load(hello), tt.method, header(lines...)); resp.StatusCode != ok {
				t.Errorf("without a token: %d", resp.StatusCode)
			}
		})
	}
}
