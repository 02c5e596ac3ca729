package redisring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/kek"
	"github.com/carnet-go/carnet/keys/keystest"
	"github.com/carnet-go/carnet/keys/keystore"
	"github.com/carnet-go/carnet/keys/redisring"
	"github.com/carnet-go/carnet/token"
)

var session = token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"}

func claims() token.Claims {
	now := time.Now().UTC().Truncate(time.Second)
	return token.Claims{
		Binding: session, ID: "iiiiiiiiiiiiiiiiiiiiii", SessionID: "ssssssssssssssssssssss", Subject: "alice",
		StartedAt: now, IssuedAt: now, ExpiresAt: now.Add(30 * time.Minute), EndsAt: now.Add(12 * time.Hour), Raw: `{}`,
	}
}

func seal(t testing.TB, r *keys.Ring) string {
	t.Helper()
	tok, err := r.Seal(claims())
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// A backend makes a client for a node of its own.
type backend func(t testing.TB) redis.UniversalClient

func single(s *redistest.Server) backend {
	return func(t testing.TB) redis.UniversalClient {
		return closing(t, redis.NewClient(&redis.Options{Addr: s.Addr}))
	}
}

func closing(t testing.TB, c redis.UniversalClient) redis.UniversalClient {
	t.Cleanup(func() { c.Close() })
	return c
}

func (b backend) store(t testing.TB, prefix string) *redisring.Store {
	t.Helper()
	s, err := redisring.New(b(t), prefix)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A fleet is a ring in Redis with two nodes.
type fleet struct {
	testing.TB
	admin  keys.Source
	mint   *keys.Ring
	verify *keys.VerifyRing
}

func newFleet(t testing.TB, b backend) *fleet {
	t.Helper()
	key, err := kek.Parse(kek.Generate())
	if err != nil {
		t.Fatal(err)
	}
	source := func() keys.Source {
		return keys.Source{Store: b.store(t, "web"), Key: key, Report: func(err error) { t.Logf("a node: %v", err) }}
	}
	f := &fleet{TB: t, admin: source()}
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err == nil {
		err = f.admin.Create(t.Context(), set)
	}
	if err == nil {
		f.mint, err = source().Open(t.Context())
	}
	if err == nil {
		f.verify, err = source().OpenVerifyOnly(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.mint.Close(); f.verify.Close() })
	return f
}

func (f *fleet) edit(change func(*keys.Set) (*keys.Set, error)) *keys.Set {
	f.Helper()
	set, err := f.admin.Edit(f.Context(), change)
	if err != nil {
		f.Fatal(err)
	}
	return set
}

func rotate(s *keys.Set) (*keys.Set, error) { return s.Rotate("", true) }

// follow waits until both nodes have a generation.
func (f *fleet) follow(generation uint64) {
	f.Helper()
	redistest.Wait(f, fmt.Sprintf("the nodes to have generation %d", generation), func() bool {
		return f.mint.Generation() == generation && f.verify.Generation() == generation
	})
}

// work has a token minted on one node and read on the other.
func (f *fleet) work() {
	f.Helper()
	if _, err := f.verify.Open(seal(f, f.mint), session); err != nil {
		f.Error(err)
	}
}

func active(s *keys.Set) string {
	for _, k := range s.Keys() {
		if k.State == "active" {
			return k.ID
		}
	}
	return ""
}

func TestStore(t *testing.T) {
	server, n := redistest.Start(t), 0
	keystest.TestStore(t, func(t *testing.T) func() keystore.Store {
		n++
		return func() keystore.Store { return single(server).store(t, fmt.Sprint("ring-", n)) }
	})
}

func TestNodesFollow(t *testing.T) {
	t.Parallel()
	f := newFleet(t, single(redistest.Start(t)))
	for range 5 {
		f.follow(f.edit(rotate).Generation())
		f.work()
	}
	tok := seal(t, f.mint)
	f.edit(func(s *keys.Set) (*keys.Set, error) { return s.Revoke(active(s)) })
	start := time.Now()
	redistest.Wait(t, "the refusal", func() bool {
		_, err := f.verify.Open(tok, session)
		_, err2 := f.mint.Open(tok, session)
		return errors.Is(err, keys.ErrRevokedKey) && errors.Is(err2, keys.ErrRevokedKey)
	})
	t.Logf("a revoked key is refused on all nodes after %v", time.Since(start))
	f.work()
}

func TestNodesReport(t *testing.T) {
	t.Parallel()
	f := newFleet(t, single(redistest.Start(t)))
	nodes := func() (minting, verifying []keystore.Node) {
		t.Helper()
		all, err := f.admin.Store.(keystore.Shared).Nodes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range all {
			if n.VerifyOnly {
				verifying = append(verifying, n)
			} else {
				minting = append(minting, n)
			}
		}
		return minting, verifying
	}
	for generation := uint64(1); generation < 4; generation++ {
		redistest.Wait(t, "the reports", func() bool {
			m, v := nodes()
			return len(m) == 1 && len(v) == 1 && m[0].Generation == generation && v[0].Generation == generation
		})
		f.edit(rotate)
	}
	m, _ := nodes()
	if !strings.Contains(m[0].Name, fmt.Sprint("/", os.Getpid(), "/")) || m[0].Silent > time.Minute || m[0].Skew.Abs() > time.Minute {
		t.Errorf("a node: %+v", m[0])
	}
	f.mint.Close()
	if m, v := nodes(); len(m) != 0 || len(v) != 1 {
		t.Errorf("after one left: %v and %v", m, v)
	}
}

// Redis forgets: nodes never go back, and put the ring back as it was.
func TestRedisForgets(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := newFleet(t, single(server))
	first, err := f.admin.Store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.follow(f.edit(rotate).Generation())
	newest, err := f.admin.Store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	restored := func(what string) {
		t.Helper()
		redistest.Wait(t, what+" to be put right", func() bool {
			doc, err := f.admin.Store.Load(t.Context())
			return err == nil && bytes.Equal(doc, newest)
		})
		if f.mint.Generation() != 2 || f.verify.Generation() != 2 {
			t.Errorf("%s: nodes went back", what)
		}
		f.work()
	}
	server.Must("FLUSHALL")
	restored("an empty server")
	if err := f.admin.Store.Save(t.Context(), newest, first); err != nil {
		t.Fatal(err)
	}
	restored("an older ring")
	server.Kill()
	server.Start()
	restored("a server that restarted empty")
}

// Nodes go on while Redis hangs, and calls end.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := newFleet(t, single(server))
	f.follow(1)
	server.Freeze()
	redistest.Wait(t, "the nodes to notice", func() bool { return f.mint.Problem() != nil && f.verify.Problem() != nil })
	if age := f.mint.Age(); age >= time.Minute {
		t.Errorf("it was noticed when the ring was read again after %v", age)
	}
	start := time.Now()
	if _, err := f.admin.Load(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("loading from a server that hangs: %v after %v", err, time.Since(start))
	}
	f.work()
	server.Thaw()
	f.follow(f.edit(rotate).Generation())
	redistest.Wait(t, "the nodes to see that it is over", func() bool { return f.mint.Problem() == nil && f.verify.Problem() == nil })
}

func TestOnlySealedRings(t *testing.T) {
	server := redistest.Start(t)
	s := single(server).store(t, "web")
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	err = keys.Source{Store: s, Plain: true}.Create(t.Context(), set)
	if err == nil || !strings.Contains(err.Error(), "must be sealed") {
		t.Errorf("a ring in the clear was saved: %v", err)
	}
	server.Must("HSET", "{web}:ring", "document", "text", "sha256", "00")
	if _, err := s.Load(t.Context()); err == nil {
		t.Error("something else was loaded")
	}
}

// Whoever has a dump of the server has no key of the ring, in any spelling.
func TestADumpHasNoKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := redistest.Start(t, "--dir", dir, "--appendonly", "yes", "--rdbcompression", "no")
	f := newFleet(t, single(server))
	f.follow(f.edit(rotate).Generation())
	f.work()
	server.Must("SAVE")
	set, err := f.admin.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "ring.json")
	if err := (keys.Source{Path: plain, Plain: true}).Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	secrets := secretsIn(t, plain)
	if len(secrets) != 6 {
		t.Fatalf("%d secrets", len(secrets))
	}
	files := 0
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		dump, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(dump, []byte("carnet sealed ring")) {
			files++
		}
		for _, secret := range secrets {
			for _, spelling := range []string{string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret)[:42],
				base64.RawURLEncoding.EncodeToString(secret)[:42]} {
				if bytes.Contains(dump, []byte(spelling)) {
					t.Errorf("%s has a secret of the ring", path)
				}
			}
		}
		return nil
	})
	if files < 2 {
		t.Errorf("the ring is in %d files; want the dump and the append-only file", files)
	}
}

func secretsIn(t *testing.T, path string) (secrets [][]byte) {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Ring struct{ Keys []struct{ Seal, Sign []byte } }
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	for _, k := range d.Ring.Keys {
		secrets = append(secrets, k.Seal, k.Sign)
	}
	return secrets
}

func TestURLs(t *testing.T) {
	server := redistest.Start(t)
	s, closeClient, err := redisring.Open("redis://" + server.Addr + "/0?prefix=web")
	if err != nil {
		t.Fatal(err)
	}
	defer closeClient()
	if err := s.Save(t.Context(), nil, keystest.Documents(t, 1)[0]); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{
		"redis://:secret@" + server.Addr, "redis://:secret@" + server.Addr + "?prefix=a b", "http://:secret@x/?prefix=web",
		"redis://:secret@" + server.Addr + "?prefix=web&no_such=1", "redis://:secret@%zz?prefix=web",
		"redis://:secret@" + server.Addr + "?prefix=web&addr=x:1&no_such=1", "redis://:secret@" + server.Addr + "?prefix={web}",
	} {
		if _, _, err := redisring.Open(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A node that is behind is named, and keeps the next rotation waiting.
func TestRotateKnowsWhoLags(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := newFleet(t, single(server))
	lagging := single(server).store(t, "web")
	f.follow(1)
	if err := lagging.Report(t.Context(), keystore.Report{Generation: 1}); err != nil {
		t.Fatal(err)
	}
	f.follow(f.edit(rotate).Generation())
	_, err := f.admin.Rotate(t.Context(), "", false)
	host, _ := os.Hostname()
	if !errors.Is(err, keys.ErrTooSoon) || !strings.Contains(err.Error(), `node "`+host) || !strings.Contains(err.Error(), "generation 1") {
		t.Errorf("with a node that lags: %v", err)
	}
	if err := lagging.Report(t.Context(), keystore.Report{Generation: 2}); err != nil {
		t.Fatal(err)
	}
	redistest.Wait(t, "nobody to lag", func() bool {
		set, err := f.admin.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lag, err := f.admin.Lagging(t.Context(), set)
		return err == nil && len(lag) == 0
	})
	if _, err := f.admin.Rotate(t.Context(), "", false); !errors.Is(err, keys.ErrTooSoon) || strings.Contains(err.Error(), `node "`+host) {
		t.Errorf("nobody lags, and the spread has not passed: %v", err)
	}
	if _, err := f.admin.Rotate(t.Context(), "", true); err != nil {
		t.Error(err)
	}
}

// TestWhatIsLeftWithoutADocumentIsNoRing has a ring of which somebody deleted a field.
func TestWhatIsLeftWithoutADocumentIsNoRing(t *testing.T) {
	s := redistest.Start(t)
	store, err := redisring.New(single(s)(t), "left")
	if err != nil {
		t.Fatal(err)
	}
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := kek.Parse(kek.Generate())
	if err != nil {
		t.Fatal(err)
	}
	source := keys.Source{Store: store, Key: key}
	if err := source.Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	s.Must("HDEL", "{left}:ring", "document")
	if _, err := source.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load: %v", err)
	}
	if err := source.Create(t.Context(), set); err != nil {
		t.Errorf("put it back: %v", err)
	}
	if again, err := source.Load(t.Context()); err != nil || again.Generation() != 1 {
		t.Errorf("load it again: %v", err)
	}
}
