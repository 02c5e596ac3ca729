package chimw_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/token"
)

func reasonOf(err error) string {
	var e interface{ Reason() string }
	if errors.As(err, &e) {
		return e.Reason()
	}
	return ""
}

func TestRequireFresh(t *testing.T) {
	n := newNode(t, chimw.Config{Bearer: true})
	const d = 5 * time.Minute
	for _, tt := range []struct {
		name  string
		again time.Duration // when the user proved again who he is; 0 is never
		after time.Duration
		want  int
	}{
		{"at once", 0, 0, http.StatusOK},
		{"just within", 0, d - 1, http.StatusOK},
		{"at the limit", 0, d, http.StatusUnauthorized},
		{"again", 20 * time.Minute, 20*time.Minute + d - 1, http.StatusOK},
		{"again, at the limit", 20 * time.Minute, 20*time.Minute + d, http.StatusUnauthorized},
	} {
		for mode, m := range map[string]func(http.Handler) http.Handler{
			"Sessions": n.RequireFresh(d), "Guard": n.Guard.RequireFresh(d), "inside": func(h http.Handler) http.Handler { return n.Load(n.RequireFresh(d)(h)) },
		} {
			t.Run(tt.name+" "+mode, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := claims(time.Now())
					if tt.again > 0 {
						time.Sleep(tt.again)
						c = claims(time.Now())
						c.StartedAt, c.EndsAt, c.AuthenticatedAt = c.StartedAt.Add(-tt.again), c.EndsAt.Add(-tt.again), c.IssuedAt
					}
					tok := seal(t, n.ring, c)
					time.Sleep(tt.after - tt.again)
					n.reasons = nil
					resp := send(m(hello), "GET", withCookie(tok))
					if resp.StatusCode != tt.want || len(ours(resp.Header)) > 0 {
						t.Errorf("got %d %v", resp.StatusCode, resp.Header)
					}
					if tt.want == http.StatusOK {
						return
					}
					if got := body(t, resp); got != "Unauthorized\n" {
						t.Errorf("got %q", got)
					}
					if got := resp.Header.Get("WWW-Authenticate"); got != `Bearer error="insufficient_user_authentication", max_age="300"` {
						t.Errorf("WWW-Authenticate: %s", got)
					}
					if len(n.reasons) != 1 || reasonOf(n.reasons[0]) != "not fresh" || !errors.Is(n.reasons[0], token.ErrInvalid) {
						t.Errorf("reported %v", n.reasons)
					}
					if resp := send(n.Require(hello), "GET", withCookie(tok)); resp.StatusCode != http.StatusOK {
						t.Errorf("other routes: %d", resp.StatusCode)
					}
				})
			})
		}
	}
}

// It refuses all that Require does, with the same answers.
func TestRequireFreshIsRequire(t *testing.T) {
	n := newNode(t, chimw.Config{})
	for name, tt := range refusals(t, n) {
		n.reasons = nil
		resp := send(n.RequireFresh(time.Hour)(hello), "GET", tt.header)
		if resp.StatusCode != http.StatusUnauthorized || len(n.reasons) != 1 || !errors.Is(n.reasons[0], tt.reason) {
			t.Errorf("%s: %d, reported %v", name, resp.StatusCode, n.reasons)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a limit of zero was taken")
		}
	}()
	n.RequireFresh(0)(hello)
}
