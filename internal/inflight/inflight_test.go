package inflight

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/carnet-go/carnet/revocation"
)

var logouts = flag.Int("logouts", 300, "how many logouts meet a response in flight")

func TestAResponseInFlightLogsNobodyIn(t *testing.T) {
	list := new(revocation.Memory)
	Logouts(t, *logouts, list, list)
}

// The same with the logout at each point of a request where it can come between.
func TestALogoutBetweenTwoSteps(t *testing.T) {
	for name := range newPair(t, nil, nil).answers() {
		for _, how := range []string{"this one", "all", "everyone"} {
			for at, steps := 0, 1; at < steps; at++ {
				t.Run(fmt.Sprintf("%s, %s, step %d", name, how, at), func(t *testing.T) { steps = between(t, name, how, at) })
			}
		}
	}
}

// between has a logout come before a step of a request, and returns how many steps
// that has.
func between(t *testing.T, answer, how string, at int) (steps int) {
	list := new(revocation.Memory)
	p := newPair(t, list, list)
	logout := map[string]func(http.ResponseWriter, *http.Request) error{
		"this one": p.there.Logout,
		"all":      p.there.LogoutEverywhere,
		"everyone": func(_ http.ResponseWriter, r *http.Request) error {
			return list.Revoke(r.Context(), revocation.Everyone(0))
		},
	}[how]
	tok, bye := p.mint(t), errors.New("not called")
	p.list.step = func() {
		if steps++; steps == at+1 {
			r := httptest.NewRequest("POST", "https://example.com/", nil)
			r.Header.Set("Cookie", cookie+"="+tok)
			bye = logout(httptest.NewRecorder(), r)
		}
	}
	next := set(send(p.answers()[answer], tok))
	p.list.step = func() {}
	switch {
	case bye != nil && how != "all": // which needs a session that is good
		t.Errorf("not logged out: %v", bye)
	case bye == nil && next != "":
		p.refused(t, "then", next)
	}
	return steps
}
