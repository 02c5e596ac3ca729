package redistest_test

import (
	"testing"

	"github.com/carnet-go/carnet/internal/redistest"
)

func TestAServerComesBackWithItsFiles(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s.Must("SET", "k", "v")
	s.Kill()
	if _, err := s.Do("PING"); err == nil {
		t.Error("it answers after SIGKILL")
	}
	s.Start()
	if got := s.Must("GET", "k"); got != "v" {
		t.Errorf("got %q", got)
	}
}

func TestAFailoverHappens(t *testing.T) {
	t.Parallel()
	f := redistest.StartFailover(t)
	old := f.Master()
	old.Kill()
	redistest.Wait(t, "another master", func() bool { m := f.Master(); return m != nil && m != old })
	old.Start()
	redistest.Wait(t, "the old one as a replica", f.Whole)
}

func TestAClusterHasAMasterForAKey(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	old := c.MasterOf("k")
	old.Kill()
	redistest.Wait(t, "another master", func() bool { m := c.MasterOf("k"); return m != nil && m != old })
}
