package refresh_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/chimw/refresh"
	"github.com/carnet-go/carnet/token"
)

// Nobody is logged out, and nobody gets a token.
func TestTheStoreIsAway(t *testing.T) {
	a := newApp(t, nil)
	synctest.Test(t, func(t *testing.T) {
		p := a.login(t)
		time.Sleep(5 * minute)
		a.store.down = errDown
		for node := range 2 {
			resp, _ := a.post(t, node, p.RefreshToken)
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "3" {
				t.Errorf("%d, %v", resp.StatusCode, resp.Header)
			}
		}
		time.Sleep(hour)
		a.store.down = nil
		if next := a.refreshed(t, 1, p); a.me(0, next) != http.StatusOK || a.claims(t, next).Revision != 1 {
			t.Error("it does not go on after the outage")
		}
	})
}

// The store counts, and its answer is lost; the client can come again only when the
// outage is over, long after the grace.
func TestAnAnswerLostInAnOutage(t *testing.T) {
	for name, tt := range map[string]struct {
		tries bool // the node sees that the outage goes on
		after time.Duration
		ok    bool
	}{
		"at once":                  {true, 3 * time.Second, true},
		"within the grace":         {true, 59 * time.Second, true},
		"after another grace":      {true, 70 * time.Second, false},
		"nobody saw it for longer": {false, 3 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, nil)
			synctest.Test(t, func(t *testing.T) {
				p := a.login(t)
				other := a.login(t)
				time.Sleep(5 * minute)
				a.store.down, a.store.silent = errDown, true
				a.post(t, 0, p.RefreshToken)
				a.store.silent = false
				for range 100 {
					time.Sleep(3 * time.Second)
					if tt.tries {
						a.post(t, 0, p.RefreshToken)
					}
				}
				a.store.down = nil
				time.Sleep(tt.after)
				a.refreshed(t, 0, other) // the outage is over for others too
				resp, next := a.post(t, 0, p.RefreshToken)
				if ok := resp.StatusCode == http.StatusOK; ok != tt.ok || ok && a.claims(t, next).Revision != 1 {
					t.Errorf("%d", resp.StatusCode)
				}
			})
		})
	}
}

// A store that was emptied, or set back.
func TestTheStoreHasForgotten(t *testing.T) {
	for name, tt := range map[string]struct {
		tok, known int // the generation that is shown, and the store's; -1 is none
		age        time.Duration
		want       error
		then       int // the generation that it leads to
	}{
		"young":                          {3, -1, 5 * minute, nil, 4},
		"young, to the second":           {3, -1, 6 * minute, nil, 4},
		"old, to the second":             {3, -1, 6*minute + time.Second, token.ErrInvalid, 0},
		"of yesterday":                   {3, -1, day, token.ErrInvalid, 0},
		"young, the first":               {0, -1, minute, nil, 1},
		"old, the first":                 {0, -1, hour, token.ErrInvalid, 0},
		"set back, young":                {3, 1, 5 * minute, nil, 4},
		"set back, old":                  {3, 1, hour, token.ErrInvalid, 0},
		"not set back, however old":      {3, 3, day, nil, 4},
		"an old one that is known":       {2, 3, day, refresh.ErrReused, 0},
		"an old one, after setting back": {0, 1, day, refresh.ErrReused, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, nil)
			synctest.Test(t, func(t *testing.T) {
				pairs := []refresh.Pair{a.login(t)}
				for i := range 3 {
					time.Sleep(minute)
					pairs = append(pairs, a.refreshed(t, 0, pairs[i]))
				}
				shown := pairs[tt.tok]
				c := a.claims(t, shown)
				a.store.Store = new(refresh.Memory)
				if tt.known >= 0 {
					a.store.Put(t.Context(), c.SessionID, int64(tt.known), c.EndsAt)
				}
				time.Sleep(time.Until(c.IssuedAt.Add(tt.age)))
				next, err := a.nodes[1].Refresh(t.Context(), shown.RefreshToken)
				if !errors.Is(err, tt.want) || err == nil && a.claims(t, next).Revision != int64(tt.then) {
					t.Fatalf("%v", err)
				}
				if theft := errors.Is(tt.want, refresh.ErrReused); theft != (len(a.thefts) == 1) {
					t.Errorf("%d thefts", len(a.thefts))
				}
				if tt.want == token.ErrInvalid && errors.Is(err, refresh.ErrReused) {
					t.Error("not to know is no theft")
				}
			})
		})
	}
}

// Who got in with an old token is found out as soon as its owner comes.
func TestAThiefAfterTheStoreHasForgotten(t *testing.T) {
	a := newApp(t, nil)
	synctest.Test(t, func(t *testing.T) {
		stolen := a.login(t)
		time.Sleep(minute)
		owner := a.refreshed(t, 0, a.refreshed(t, 0, stolen))
		time.Sleep(minute)
		owner = a.refreshed(t, 0, owner)
		a.store.Store = new(refresh.Memory)
		thief := a.refreshed(t, 1, stolen) // it is young
		time.Sleep(2 * minute)
		owner = a.refreshed(t, 0, owner)
		if _, err := a.nodes[1].Refresh(t.Context(), thief.RefreshToken); !errors.Is(err, refresh.ErrReused) {
			t.Errorf("the thief: %v", err)
		}
		a.dead(t, owner, thief, stolen)
	})
}
