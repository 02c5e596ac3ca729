package redistest

import (
	"os/exec"
	"strings"
	"testing"
)

// A Cluster is three masters with a replica each.
type Cluster struct {
	Servers []*Server
}

// Replicate adds another replica of a master.
func (c *Cluster) Replicate(tb testing.TB, master *Server) {
	tb.Helper()
	s := startNode(tb)
	c.Servers = append(c.Servers, s)
	add := []string{"--cluster", "add-node", s.Addr, master.Addr, "--cluster-slave", "--cluster-master-id", master.Must("CLUSTER", "MYID")}
	if out, err := exec.Command("redis-cli", add...).CombinedOutput(); err != nil {
		tb.Fatalf("redis-cli --cluster add-node: %v\n%s", err, out)
	}
	Wait(tb, "the other replica", func() bool { return strings.Count(master.Must("INFO", "replication"), "state=online") == 2 })
}

// StartCluster starts a cluster that takes a node for dead after two seconds.
func StartCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	c := &Cluster{}
	for range 6 {
		c.Servers = append(c.Servers, startNode(tb, args...))
	}
	create := append([]string{"--cluster", "create", "--cluster-replicas", "1", "--cluster-yes"}, c.Addrs()...)
	if out, err := exec.Command("redis-cli", create...).CombinedOutput(); err != nil {
		tb.Fatalf("redis-cli --cluster create: %v\n%s", err, out)
	}
	for _, s := range c.Servers {
		Wait(tb, "the cluster", func() bool { return strings.Contains(s.Must("CLUSTER", "INFO"), "cluster_state:ok") })
	}
	Wait(tb, "the replicas", func() bool { return c.online() == 3 })
	return c
}

func startNode(tb testing.TB, args ...string) *Server {
	return Start(tb, append([]string{
		"--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", freePort(tb),
	}, args...)...)
}

// online counts the replicas that follow their masters.
func (c *Cluster) online() (n int) {
	for _, s := range c.Servers {
		n += strings.Count(s.Must("INFO", "replication"), "state=online")
	}
	return n
}

// Addrs returns the addresses of all nodes.
func (c *Cluster) Addrs() []string { return addrs(c.Servers) }

// MasterOf returns the master that has the key.
func (c *Cluster) MasterOf(key string) *Server {
	for _, s := range c.Servers {
		if s.cmd == nil {
			continue
		}
		// A node that doesn't have the key says who does.
		if _, err := s.Do("TYPE", key); err == nil && s.Info("replication", "role") == "master" {
			return s
		}
	}
	return nil
}
