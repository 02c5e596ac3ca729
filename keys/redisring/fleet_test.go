package redisring_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/keys/redisring"
	"github.com/carnet-go/carnet/token"
)

var hundred = flag.Bool("hundred", false, "rotate the fleets of processes a hundred times, not five times")

const nodeOf = "CARNET_TEST_RING" // in the environment of a process that is a node

// A place names a ring to another process, which has its key in the environment.
type place struct {
	Path   string        // of a file
	Redis  string        // or the address of a server
	Verify bool          // a node that can't mint
	Skew   time.Duration // how far its clock is ahead
}

func (p place) source() (keys.Source, error) {
	if p.Path != "" {
		return keys.Source{Path: p.Path}, nil
	}
	s, err := redisring.New(redis.NewClient(&redis.Options{Addr: p.Redis}), "web")
	return keys.Source{Store: s}, err
}

type request struct {
	Mint  int
	Check []string
}

type answer struct {
	Tokens     []string
	Checked    int
	Refused    string
	Generation uint64
}

// TestFleetNode is the process of a node, and nothing in a test by itself.
func TestFleetNode(t *testing.T) {
	text := os.Getenv(nodeOf)
	if text == "" {
		return
	}
	var p place
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	if err := p.serve(); err != nil {
		t.Fatal(err)
	}
}

func (p place) serve() error {
	src, err := p.source()
	if err != nil {
		return err
	}
	var open token.Opener
	var generation func() uint64
	var ring *keys.Ring
	if p.Verify {
		v, err := src.OpenVerifyOnly(context.Background())
		if err != nil {
			return err
		}
		open, generation = v, v.Generation
	} else {
		if ring, err = src.Open(context.Background()); err != nil {
			return err
		}
		open, generation = ring, ring.Generation
	}
	verifier := token.NewVerifier[struct{}](open, token.Config{Issuer: "example.com", Audience: "web"})
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.NewFile(3, "answers"))
	for {
		var r request
		if err := in.Decode(&r); err != nil {
			return nil // the test is over
		}
		var a answer
		for range r.Mint {
			tok, err := ring.Seal(p.claims())
			if err != nil {
				return err
			}
			a.Tokens = append(a.Tokens, tok)
		}
		for _, tok := range r.Check {
			if _, err := verifier.Verify(tok); err != nil && a.Refused == "" {
				a.Refused = err.Error()
			}
			a.Checked++
		}
		a.Generation = generation()
		if err := out.Encode(a); err != nil {
			return err
		}
	}
}

// claims are what an issuer with the clock of this node writes.
func (p place) claims() token.Claims {
	c := claims()
	for _, t := range []*time.Time{&c.StartedAt, &c.IssuedAt, &c.ExpiresAt, &c.EndsAt} {
		*t = t.Add(p.Skew)
	}
	return c
}

// A node is the test's end of a process.
type node struct {
	t   *testing.T
	mu  sync.Mutex
	in  *json.Encoder
	out *json.Decoder
}

func startNode(t *testing.T, p place) *node {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFleetNode$", "-test.timeout=60m")
	cmd.Env = append(os.Environ(), nodeOf+"="+string(text))
	cmd.ExtraFiles, cmd.Stderr = []*os.File{w}, os.Stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { in.Close(); cmd.Wait(); r.Close() })
	return &node{t: t, in: json.NewEncoder(in), out: json.NewDecoder(r)}
}

func (n *node) ask(r request) (a answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := errors.Join(n.in.Encode(r), n.out.Decode(&a)); err != nil {
		n.t.Errorf("a node is gone: %v", err)
	}
	return a
}

func TestFleetOnAFile(t *testing.T) {
	t.Setenv("CARNET_RING_KEY", kek.Generate())
	rotateUnderTraffic(t, place{Path: filepath.Join(t.TempDir(), "ring.json")})
}

func TestFleetOnRedis(t *testing.T) {
	t.Setenv("CARNET_RING_KEY", kek.Generate())
	rotateUnderTraffic(t, place{Redis: redistest.Start(t).Addr})
}

// rotateUnderTraffic has two processes mint with clocks that are 4 s apart, and a
// third that only verifies. What one mints the others check at once, while the ring
// is rotated as soon as every node has the key that comes next.
func rotateUnderTraffic(t *testing.T, p place) {
	admin, err := p.source()
	if err != nil {
		t.Fatal(err)
	}
	set, err := keys.NewSet(keys.JWT, keys.Policy{Spread: time.Second})
	if err == nil {
		err = admin.Create(t.Context(), set)
	}
	if err != nil {
		t.Fatal(err)
	}
	ahead, behind, reader := p, p, p
	ahead.Skew, behind.Skew, reader.Verify = 2*time.Second, -2*time.Second, true
	nodes := []*node{startNode(t, ahead), startNode(t, behind), startNode(t, reader)}

	rotations, perRotation := 5, int64(400)
	if *hundred {
		rotations, perRotation = 100, 2000
	}
	var checked, wanted atomic.Int64
	var done atomic.Bool
	var traffic sync.WaitGroup
	for i := range 2 {
		traffic.Go(func() {
			for !done.Load() || checked.Load() < wanted.Load() {
				minted := nodes[i].ask(request{Mint: 20}).Tokens
				for j, other := range nodes {
					if j == i {
						continue
					}
					a := other.ask(request{Check: minted})
					if a.Refused != "" {
						t.Errorf("a token of node %d at node %d: %s", i, j, a.Refused)
						return
					}
					checked.Add(int64(a.Checked))
				}
			}
		})
	}
	for n := range rotations {
		wanted.Store(int64(n+1) * perRotation)
		redistest.Wait(t, "a rotation, and every node to have it", func() bool {
			set, err := admin.Rotate(t.Context(), "", false)
			if errors.Is(err, keys.ErrTooSoon) {
				return false
			}
			if err != nil {
				t.Fatal(err)
			}
			redistest.Wait(t, "the nodes", func() bool {
				for _, node := range nodes {
					if node.ask(request{}).Generation < set.Generation() {
						return false
					}
				}
				return checked.Load() >= wanted.Load()
			})
			return true
		})
	}
	done.Store(true)
	traffic.Wait()
	t.Logf("%d rotations, %d tokens checked on other nodes, none refused", rotations, checked.Load())
	compromise(t, admin, nodes)
}

// compromise takes the active key back, and waits until no node believes its tokens.
func compromise(t *testing.T, admin keys.Source, nodes []*node) {
	var worst time.Duration
	for range 3 {
		stolen := nodes[0].ask(request{Mint: 1}).Tokens
		set, err := admin.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) { return s.Revoke(active(s)) })
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		redistest.Wait(t, "the refusal", func() bool {
			for _, node := range nodes {
				if node.ask(request{Check: stolen}).Refused != keys.ErrRevokedKey.Error() {
					return false
				}
			}
			return true
		})
		worst = max(worst, time.Since(start))
		redistest.Wait(t, "the nodes", func() bool {
			return nodes[0].ask(request{}).Generation == set.Generation()
		})
	}
	t.Logf("a compromised key is refused on all nodes after %v at most", worst)
}
