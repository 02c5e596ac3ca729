package chimw_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/token"
)

func TestConfigMistakesPanic(t *testing.T) {
	issuer := token.NewIssuer[user](newRing(t), web)
	cookie := func(c chimw.Cookie) func() {
		return func() { chimw.NewGuard(issuer.Verifier(), chimw.Config{Cookie: c}) }
	}
	for name, start := range map[string]func(){
		"no prefix":              cookie(chimw.Cookie{Name: "session"}),
		"the prefix in lower":    cookie(chimw.Cookie{Name: "__host-session"}),
		"only the prefix":        cookie(chimw.Cookie{Name: "__Host-"}),
		"a space in the name":    cookie(chimw.Cookie{Name: "__Host-a b"}),
		"a header in the name":   cookie(chimw.Cookie{Name: "__Host-a=b; Domain"}),
		"a domain for one host":  cookie(chimw.Cookie{Name: "__Host-session", Domain: "example.com"}),
		"a prefix over http":     cookie(chimw.Cookie{Name: "__Secure-session", InsecureLocalhost: true}),
		"a dot before":           cookie(chimw.Cookie{Domain: ".example.com"}),
		"a domain of all":        cookie(chimw.Cookie{Domain: "com"}),
		"a domain of all, dot":   cookie(chimw.Cookie{Domain: "com."}),
		"a header in the domain": cookie(chimw.Cookie{Domain: "example.com; Path=/a"}),
		"a domain with a port":   cookie(chimw.Cookie{Domain: "example.com:443"}),
		"strict in a frame":      cookie(chimw.Cookie{Strict: true, Partitioned: true}),
		"insecure in a frame":    cookie(chimw.Cookie{InsecureLocalhost: true, Partitioned: true}),
		"insecure for a domain":  cookie(chimw.Cookie{InsecureLocalhost: true, Domain: "dev.example.com"}),
		"no such site data":      cookie(chimw.Cookie{ClearSiteData: []string{"cookie"}}),
		"an origin's path": func() {
			chimw.NewGuard(issuer.Verifier(), chimw.Config{TrustedOrigins: []string{"https://a.example/"}})
		},
		"an origin's scheme": func() { chimw.NewGuard(issuer.Verifier(), chimw.Config{TrustedOrigins: []string{"a.example"}}) },
		"no verifier":        func() { chimw.NewGuard[user](nil, chimw.Config{}) },
		"no issuer":          func() { chimw.New[user](nil, chimw.Config{}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if msg := fmt.Sprint(recover()); !strings.HasPrefix(msg, "chimw: ") {
					t.Errorf("recovered %v", msg)
				}
			}()
			start()
		})
	}
}

// One byte decides whether a browser keeps a cookie. No Sessions mint one too many,
// whatever the name, the attributes and the issuer's own limit.
func TestTheLargestTokenMakesTheLargestCookie(t *testing.T) {
	for name, c := range map[string]chimw.Cookie{
		"default": {}, "a short name": {Name: "__Host-s"}, "a long name": {Name: "__Host-" + strings.Repeat("n", 200)},
		"domain": {Domain: "example.com"}, "partitioned": {Partitioned: true}, "strict": {Strict: true},
	} {
		for _, idle := range []time.Duration{time.Hour, 30 * day} {
			large := token.Config{Issuer: "example.com", Audience: "web", MaxAge: 30 * day, MaxSize: token.MaxSize}
			sessions := chimw.New(token.NewIssuer[user](newRing(t), large), chimw.Config{Cookie: c})
			login := func(size int) (line string, err error) {
				w := httptest.NewRecorder()
				err = sessions.Lasting(idle, 30*day).Login(w, newRequest("POST", header()), "alice", user{Name: strings.Repeat("x", size)})
				return w.Header().Get("Set-Cookie"), err
			}
			_, err := login(5000)
			var e *token.SizeError
			if !errors.As(err, &e) {
				t.Fatalf("%s: %v", name, err)
			}
			around := e.Data - 5000
			line, err := login(e.Room - around)
			if err != nil || len(line) > 4096 || len(line) < 4096-20 {
				t.Errorf("%s, idle %v: a cookie of %d bytes, %v", name, idle, len(line), err)
			}
			if line, err := login(e.Room - around + 1); !errors.As(err, &e) || line != "" {
				t.Errorf("%s, idle %v: one byte more is %d bytes, %v", name, idle, len(line), err)
			}
		}
	}
}
