package redistest

import (
	"fmt"
	"strings"
	"testing"
)

// A Failover is a master with replicas and three Sentinels that watch it.
type Failover struct {
	Name      string    // of the master, for the Sentinels
	Servers   []*Server // the first was started as the master
	Sentinels []*Server

	// Links are the way to each server for the other servers and for the Sentinels,
	// if it was started with StartPartitionable. The address of a link is the one
	// that Sentinels tell.
	Links []*Proxy
}

// StartFailover starts a master with two replicas, and Sentinels that take a
// master for dead after a second. Args are options of the servers.
func StartFailover(tb testing.TB, args ...string) *Failover {
	tb.Helper()
	return start(tb, false, args)
}

// StartPartitionable is StartFailover with Links.
func StartPartitionable(tb testing.TB, args ...string) *Failover {
	tb.Helper()
	return start(tb, true, args)
}

func start(tb testing.TB, partitionable bool, args []string) *Failover {
	tb.Helper()
	f := &Failover{Name: "carnet"}
	var port string // of the master, for the others
	for i := range 3 {
		s := New(tb, args...)
		announced := s.Port()
		if partitionable {
			link := NewProxy(tb, s.Addr)
			f.Links = append(f.Links, link)
			announced = link.Port()
			s.args = append(s.args, "--replica-announce-ip", "127.0.0.1", "--replica-announce-port", announced)
		}
		if i == 0 {
			port = announced
		} else {
			s.args = append(s.args, "--replicaof", "127.0.0.1", port)
		}
		s.Start()
		f.Servers = append(f.Servers, s)
	}
	Wait(tb, "replicas", func() bool { return f.replicas(f.Servers[0]) == 2 })
	for range 3 {
		f.Sentinels = append(f.Sentinels, startSentinel(tb, f.Name, port))
	}
	for _, s := range f.Sentinels {
		Wait(tb, "the Sentinels to find each other", func() bool { return knows(s, f.Name) })
	}
	return f
}

func (f *Failover) replicas(s *Server) int {
	return strings.Count(s.Must("INFO", "replication"), "state=online")
}

func startSentinel(tb testing.TB, name, port string) *Server {
	tb.Helper()
	own, dir := freePort(tb), tb.TempDir()
	conf := write(tb, dir, "sentinel.conf", fmt.Sprintf(`port %s
bind 127.0.0.1
dir %s
logfile log
sentinel monitor %s 127.0.0.1 %s 2
sentinel down-after-milliseconds %[3]s 1000
sentinel failover-timeout %[3]s 4000
sentinel parallel-syncs %[3]s 2
`, own, dir, name, port))
	s := newServer(tb, "redis-server", own, []string{conf, "--sentinel"})
	s.Start()
	return s
}

// knows reports whether a Sentinel sees two replicas and two other Sentinels, and
// so can fail over.
func knows(s *Server, name string) bool {
	out, err := s.Do("SENTINEL", "MASTER", name)
	return err == nil && strings.Contains(out, "num-slaves\n2\n") && strings.Contains(out, "num-other-sentinels\n2\n")
}

// Master returns the server that the first Sentinel takes for the master.
func (f *Failover) Master() *Server {
	out, err := f.Sentinels[0].Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", f.Name)
	if err != nil {
		return nil
	}
	return f.At(strings.ReplaceAll(out, "\n", ":"))
}

// At returns the server of an address, or the one that a link leads to.
func (f *Failover) At(addr string) *Server {
	for i, s := range f.Servers {
		if s.Addr == addr || f.Links != nil && f.Links[i].Addr == addr {
			return s
		}
	}
	return nil
}

// Addrs returns the addresses of the Sentinels.
func (f *Failover) Addrs() []string { return addrs(f.Sentinels) }

// Whole reports whether the master has both replicas, and can fail over again.
func (f *Failover) Whole() bool {
	m := f.Master()
	if m == nil || m.cmd == nil {
		return false
	}
	out, err := m.Do("INFO", "replication")
	return err == nil && strings.Contains(out, "role:master") && strings.Count(out, "state=online") == 2 &&
		knows(f.Sentinels[0], f.Name)
}

func addrs(servers []*Server) (all []string) {
	for _, s := range servers {
		all = append(all, s.Addr)
	}
	return all
}
