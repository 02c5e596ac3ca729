package chimw_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// A member of the family of token.ErrInvalid, and Cookie headers that lead to it.
type member struct {
	reason  error
	cookies string
}

// family has every member but ErrCrossOrigin, which is a 403. Ring has the keys
// of former, of which the active one was revoked.
func family(t *testing.T, former, ring *keys.Ring, list revocation.List) []member {
	t.Helper()
	cookie := func(tok string) string { return "Cookie: " + cookieName + "=" + tok + "\r\n" }
	minted := func(change func(c *token.Claims)) string {
		c := claims(time.Now())
		change(&c)
		return cookie(seal(t, ring, c))
	}
	good := seal(t, ring, claims(time.Now()))
	at := len(good) - 10
	forged := good[:at] + string('A'+(good[at]-'A'+1)%26) + good[at+1:]
	ended := claims(time.Now())
	ended.SessionID = strings.Repeat("e", 22)
	if err := list.Revoke(t.Context(), revocation.Session(ended)); err != nil {
		t.Fatal(err)
	}
	return []member{
		{token.ErrInvalid, cookie(forged)},
		{token.ErrMalformed, cookie("garbage")},
		{token.ErrTooLarge, cookie(strings.Repeat("a", token.MaxSize+1))},
		{token.ErrBinding, minted(func(c *token.Claims) { c.Audience = "api" })},
		{token.ErrClaims, minted(func(c *token.Claims) { c.SessionID = "short" })},
		{token.ErrExpired, cookie(seal(t, ring, claims(time.Now().Add(-time.Hour))))},
		{token.ErrNotYet, cookie(seal(t, ring, claims(time.Now().Add(time.Hour))))},
		{token.ErrData, minted(func(c *token.Claims) { c.Raw = `{"Name":[]}` })},
		{keys.ErrUnknownKey, cookie(seal(t, newRing(t), claims(time.Now())))},
		{keys.ErrRevokedKey, cookie(seal(t, former, claims(time.Now())))},
		{revocation.ErrRevoked, cookie(seal(t, ring, ended))},
		{chimw.ErrNoToken, ""},
		{chimw.ErrTwoTokens, cookie(good) + cookie(good)},
	}
}

// Whatever was wrong, the client gets the same bytes.
func TestTheWholeFamilyLooksTheSame(t *testing.T) {
	former := newRing(t)
	set, err := former.Set().Revoke(former.Set().Keys()[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	list, reasons := new(revocation.Memory), make(chan error, 1)
	sessions := chimw.New(token.NewIssuer[user](ring, web), chimw.Config{
		Revocation: list,
		Report:     func(_ *http.Request, err error) { reasons <- err },
	})
	server := httptest.NewServer(sessions.Require(hello))
	defer server.Close()
	answers := map[string]error{}
	for _, m := range family(t, former, ring, list) {
		answers[exchange(t, server.Listener.Addr().String(), m.cookies)] = m.reason
		reason := <-reasons
		if !errors.Is(reason, m.reason) || !errors.Is(reason, token.ErrInvalid) || m.reason == token.ErrInvalid && reason != m.reason {
			t.Errorf("reported %v, want %v", reason, m.reason)
		}
	}
	if len(answers) != 1 {
		t.Errorf("%d answers: %q", len(answers), answers)
	}
	for a := range answers {
		if !strings.HasPrefix(a, "HTTP/1.1 401 Unauthorized\r\n") || !strings.HasSuffix(a, "\r\n\r\nUnauthorized\n") {
			t.Errorf("the answer is %q", a)
		}
	}
}

var date = regexp.MustCompile(`Date: [^\r]*`)

// exchange returns the bytes of an answer, without the time.
func exchange(t *testing.T, addr, cookies string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n"+cookies+"\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return date.ReplaceAllString(string(answer), "")
}
