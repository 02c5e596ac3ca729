package redislist_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/carnet-go/carnet/internal/redistest"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/redislist"
)

// documented returns the words after redis-cli of the ACL on the page.
func documented(t *testing.T) (words []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/revocation.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "\n    redis-cli ACL SETUSER ")
	if !ok {
		t.Fatal("the page has no ACL")
	}
	rest, _, _ = strings.Cut(rest, "\n\n")
	rest = strings.NewReplacer("\\\n", " ", "'", "").Replace(rest)
	return append([]string{"ACL", "SETUSER"}, strings.Fields(rest)...)
}

// A user with the ACL of the page can do all that a list does: revoke, allow, write back
// what Redis lost and wait for replicas. What is elsewhere he can't read.
func TestTheDocumentedACL(t *testing.T) {
	t.Parallel()
	f := redistest.StartFailover(t)
	s := f.Master()
	for _, server := range f.Servers {
		server.Must(documented(t)...)
	}
	as := func() redis.UniversalClient {
		c := redis.NewClient(&redis.Options{Addr: s.Addr, Username: "carnet", Password: "PASSWORD", ContextTimeoutEnabled: true})
		t.Cleanup(func() { c.Close() })
		return c
	}
	config := patient
	config.Replicas = 1
	a, b := open(t, as(), config, "web:"), open(t, as(), config, "web:")
	ready(t, a, b)
	worksEverywhere(t, a, b)
	s.Must("FLUSHALL")
	s.Must("SCRIPT", "FLUSH")
	late := open(t, as(), config, "web:")
	ready(t, late)
	worksEverywhere(t, late, a)
	if found, err := redislist.Exists(t.Context(), as(), "web:"); err != nil || !found {
		t.Errorf("is there a list? %v, %v", found, err)
	}
	s.Must("ACL", "SETUSER", "carnet", "+info", "+config|get")
	if found, err := redislist.Inspect(t.Context(), as(), "web:"); err != nil || len(found) == 0 {
		t.Errorf("inspected: %v, %v", found, err)
	}
	if err := as().Get(t.Context(), "web:other").Err(); !redis.IsPermissionError(err) {
		t.Errorf("reading another key gives %v", err)
	}
	for _, line := range strings.Split(s.Must("ACL", "LOG"), "\n") {
		if strings.Contains(line, "revoked:") {
			t.Errorf("refused: %s", line)
		}
	}
}

// Who waits for a list learns what keeps it from it.
func TestReadySaysWhy(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Must("ACL", "SETUSER", "default", "-hset")
	l := open(t, connect(t, s.Addr), redislist.Config{}, "web:")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	err := l.Ready(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "can't run this command") {
		t.Errorf("Ready: %v", err)
	}
}

// A cluster's client asks for the slots besides.
func TestTheDocumentedACLOnACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	for _, server := range cluster.Servers {
		server.Must(append(documented(t), "+cluster|slots")...)
	}
	as := func() redis.UniversalClient {
		c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), Username: "carnet", Password: "PASSWORD", ContextTimeoutEnabled: true})
		t.Cleanup(func() { c.Close() })
		return c
	}
	a, b := open(t, as(), patient, "web:"), open(t, as(), patient, "web:")
	ready(t, a, b)
	worksEverywhere(t, a, b)
}

// worksEverywhere revokes on one node what another refuses, and undoes it.
func worksEverywhere(t *testing.T, a, b *redislist.List) {
	t.Helper()
	c := login("alice")
	if err := a.Revoke(t.Context(), revocation.Session(c)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other node to refuse", func() bool { return refused(b, c) })
	if err := b.Allow(t.Context(), revocation.Session(c)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other node to accept", func() bool { return !refused(a, c) })
}
