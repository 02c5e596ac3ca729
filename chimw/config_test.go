package chimw_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/token"
)

func TestConfigMistakesPanic(t *testing.T) {
	issuer := token.NewIssuer[user](newRing(t), web)
	large := web
	large.MaxSize = 4200
	for name, start := range map[string]func(){
		"no prefix":            func() { chimw.NewGuard(issuer.Verifier(), chimw.Config{CookieName: "session"}) },
		"the prefix in lower":  func() { chimw.NewGuard(issuer.Verifier(), chimw.Config{CookieName: "__host-session"}) },
		"only the prefix":      func() { chimw.NewGuard(issuer.Verifier(), chimw.Config{CookieName: "__Host-"}) },
		"a space in the name":  func() { chimw.NewGuard(issuer.Verifier(), chimw.Config{CookieName: "__Host-a b"}) },
		"a header in the name": func() { chimw.NewGuard(issuer.Verifier(), chimw.Config{CookieName: "__Host-a=b; Domain"}) },
		"an origin's path": func() {
			chimw.NewGuard(issuer.Verifier(), chimw.Config{TrustedOrigins: []string{"https://a.example/"}})
		},
		"an origin's scheme": func() { chimw.NewGuard(issuer.Verifier(), chimw.Config{TrustedOrigins: []string{"a.example"}}) },
		"no verifier":        func() { chimw.NewGuard[user](nil, chimw.Config{}) },
		"no issuer":          func() { chimw.New[user](nil, chimw.Config{}) },
		"tokens too large":   func() { chimw.New(token.NewIssuer[user](newRing(t), large), chimw.Config{}) },
		"the name too long":  func() { chimw.New(issuer, chimw.Config{CookieName: "__Host-a-longer-session"}) },
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

// One byte decides whether a cookie is kept.
func TestTheLargestTokenMakesTheLargestCookie(t *testing.T) {
	const name = "__Host-s"
	overhead := len(name + "=; Path=/; HttpOnly; Secure; SameSite=Lax")
	for size, fits := range map[int]bool{4096 - overhead: true, 4097 - overhead: false} {
		func() {
			defer func() {
				if (recover() == nil) != fits {
					t.Errorf("tokens of up to %d bytes: fit is %v", size, !fits)
				}
			}()
			c := web
			c.MaxSize = size
			chimw.New(token.NewIssuer[user](newRing(t), c), chimw.Config{CookieName: name})
		}()
	}
}
