package redisrefresh_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/refresh"
	"github.com/carnet-go/carnet/chimw/refresh/redisrefresh"
	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
	"github.com/carnet-go/carnet/token"
)

type user struct{ Name string }

var api = token.Config{Issuer: "example.com", Audience: "api"}

// A node has its own way to the one Redis, and its own copy of the denylist.
type node struct {
	*refresh.Tokens[user]
	guard *chimw.Guard[user]
	link  *redistest.Proxy
}

// A fleet is nodes with one ring.
type fleet struct {
	server *redistest.Server
	ring   *keys.Ring
	nodes  []*node
}

// start starts a fleet with a grace that no test outlives: see age. Without retries the
// client of Redis does nothing about an answer that was lost, so that it is left to the
// client of the node.
func start(t *testing.T, retries int) *fleet {
	t.Helper()
	f := &fleet{server: redistest.Start(t)}
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if f.ring, err = set.Ring(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		link := redistest.NewProxy(t, f.server.Addr)
		client := redis.NewClient(&redis.Options{Addr: link.Addr, ContextTimeoutEnabled: true, MaxRetries: retries})
		direct := redis.NewClient(&redis.Options{Addr: f.server.Addr, ContextTimeoutEnabled: true})
		denied := redislist.New(direct, "api:")
		t.Cleanup(func() { denied.Close(); direct.Close(); client.Close() })
		f.nodes = append(f.nodes, &node{
			refresh.New[user](f.ring, api, refresh.Config{Store: redisrefresh.New(client, "api:"), Revocation: denied, Grace: time.Hour}),
			chimw.NewGuard(token.NewVerifier[user](f.ring, api), chimw.Config{Revocation: denied, Bearer: true}),
			link,
		})
	}
	for _, n := range f.nodes { // and open a connection for each
		redistest.Wait(t, "the node", func() bool { p, err := n.Login(t.Context(), "bob", user{}); return err == nil && n.me(p) == 200 })
	}
	return f
}

func (n *node) me(p refresh.Pair) int {
	r := httptest.NewRequest("GET", "https://example.com/me", nil)
	r.Header.Set("Authorization", "Bearer "+p.AccessToken)
	w := httptest.NewRecorder()
	n.guard.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
	return w.Code
}

func (f *fleet) login(t *testing.T) refresh.Pair {
	t.Helper()
	p, err := f.nodes[0].Login(t.Context(), "alice", user{"Alice"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// claims opens a refresh token.
func (f *fleet) claims(t *testing.T, p refresh.Pair) token.Claims {
	t.Helper()
	c, err := f.ring.Open(p.RefreshToken, token.Binding{Purpose: token.PurposeRefresh, Issuer: "example.com", Audience: "api"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refreshed returns the pair after a refresh token. It does as a client does: after a
// 503, as when Redis takes more than a second to answer, it tries again.
func (n *node) refreshed(t *testing.T, p refresh.Pair) (next refresh.Pair) {
	t.Helper()
	redistest.Wait(t, "an answer", func() bool {
		var err error
		if next, err = n.Refresh(t.Context(), p.RefreshToken); errors.Is(err, token.ErrInvalid) {
			t.Errorf("logged out: %v", err)
			return true
		}
		return err == nil
	})
	return next
}

// burst sends one refresh token n times at once, round the nodes. It wants one token,
// and each of its access tokens to be good.
func (f *fleet) burst(t *testing.T, n int, p refresh.Pair, generation int64) refresh.Pair {
	t.Helper()
	pairs := make([]refresh.Pair, n)
	var wg sync.WaitGroup
	for i := range pairs {
		wg.Go(func() {
			pairs[i] = f.nodes[i%len(f.nodes)].refreshed(t, p)
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	id := f.claims(t, pairs[0]).ID
	for i, next := range pairs {
		if c := f.claims(t, next); c.ID != id || c.Revision != generation || f.nodes[i%len(f.nodes)].me(next) != http.StatusOK {
			t.Fatalf("another token, or generation %d instead of %d", c.Revision, generation)
		}
	}
	return pairs[n/3]
}

// dead waits until no node takes a token of the session.
func (f *fleet) dead(t *testing.T, pairs ...refresh.Pair) {
	t.Helper()
	for i, n := range f.nodes {
		for _, p := range pairs {
			redistest.Wait(t, "the end of the session", func() bool { return n.me(p) == http.StatusUnauthorized })
			if _, err := n.Refresh(t.Context(), p.RefreshToken); !errors.Is(err, revocation.ErrRevoked) {
				t.Errorf("node %d: %v", i, err)
			}
		}
	}
}

// replay shows a node an old token of a session whose grace is over.
func (f *fleet) replay(t *testing.T, n *node, old refresh.Pair) {
	t.Helper()
	f.age(t)
	redistest.Wait(t, "an answer", func() bool {
		_, err := n.Refresh(t.Context(), old.RefreshToken)
		if err == nil || errors.Is(err, token.ErrInvalid) && !errors.Is(err, refresh.ErrReused) && !errors.Is(err, revocation.ErrRevoked) {
			t.Errorf("a replay: %v", err)
		}
		return err == nil || errors.Is(err, token.ErrInvalid)
	})
}

func TestAHundredAtATimeThenAThief(t *testing.T) {
	t.Parallel()
	f := start(t, 0)
	pairs := []refresh.Pair{f.login(t)}
	for generation := range int64(3) {
		pairs = append(pairs, f.burst(t, 100, pairs[generation], generation+1))
		f.age(t)
	}
	f.replay(t, f.nodes[2], pairs[2])
	f.dead(t, pairs...)
}

// The connection to Redis is cut after the command was sent and before its answer: the
// store has counted, and the node does not know.
func TestTheAnswerOfRedisIsLost(t *testing.T) {
	t.Parallel()
	f := start(t, -1)
	pairs := []refresh.Pair{f.login(t)}
	for generation := int64(1); generation <= 3; generation++ {
		p, cut := pairs[generation-1], f.nodes[generation%3]
		cut.link.LoseAnswers()
		lost, err := cut.Refresh(t.Context(), p.RefreshToken)
		if err == nil || errors.Is(err, token.ErrInvalid) || lost != (refresh.Pair{}) {
			t.Fatalf("generation %d: %v", generation, err)
		}
		redistest.Wait(t, "Redis to have counted", func() bool { return f.counted(t) == strconv.FormatInt(generation, 10) })
		cut.link.Heal()
		pairs = append(pairs, f.burst(t, 100, p, generation))
		f.age(t)
	}
	f.nodes[0].link.LoseAnswers()
	if _, err := f.nodes[0].Refresh(t.Context(), pairs[3].RefreshToken); err == nil || errors.Is(err, token.ErrInvalid) {
		t.Fatal(err)
	}
	pairs = append(pairs, f.nodes[1].refreshed(t, pairs[3]))
	f.replay(t, f.nodes[2], pairs[3])
	f.nodes[0].link.Heal()
	f.dead(t, pairs...)
}

// As go-redis is by default, it tries again itself.
func TestConnectionsAreCutAllTheTime(t *testing.T) {
	t.Parallel()
	f := start(t, 0)
	p := f.login(t)
	stop := make(chan struct{})
	var cutting sync.WaitGroup
	cutting.Go(func() {
		pause := func() { time.Sleep(5 * time.Millisecond) }
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			link := f.nodes[i%3].link
			if i%2 == 0 {
				link.LoseAnswers()
				pause()
			}
			link.Cut()
			link.Heal()
			pause()
		}
	})
	var mu sync.Mutex
	ids := map[string]bool{}
	var clients sync.WaitGroup
	for i := range 100 {
		clients.Go(func() {
			next := f.nodes[i%3].refreshed(t, p)
			if t.Failed() {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[f.claims(t, next).ID] = true
		})
	}
	clients.Wait()
	close(stop)
	cutting.Wait()
	if len(ids) != 1 {
		t.Errorf("%d tokens", len(ids))
	}
}

// key finds the key of the only session that was ever refreshed.
func (f *fleet) key(t *testing.T) string {
	t.Helper()
	var found []string
	for _, k := range strings.Fields(f.server.Must("KEYS", "api:refresh:*")) {
		if !strings.HasPrefix(f.server.Must("GET", k), "0 ") {
			found = append(found, k)
		}
	}
	if len(found) > 1 {
		t.Fatalf("%d sessions have been refreshed", len(found))
	}
	return strings.Join(found, "")
}

// counted returns the generation that Redis has come to, or nothing.
func (f *fleet) counted(t *testing.T) string {
	t.Helper()
	k := f.key(t)
	if k == "" {
		return ""
	}
	generation, _, _ := strings.Cut(f.server.Must("GET", k), " ")
	return generation
}

// age has the generation of the session be made in 1970, so that its grace is over.
func (f *fleet) age(t *testing.T) {
	t.Helper()
	f.server.Must("SET", f.key(t), `"`+f.counted(t)+` 1"`, "KEEPTTL")
}
