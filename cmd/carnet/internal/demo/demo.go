// Package demo runs carnet's main job on one machine: a node that mints
// sessions, two that only verify them, and a round-robin front before the three.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
)

// A Demo is running from [Start] to [Demo.Close].
type Demo struct {
	Front string // URL
	Nodes []Node
	Ring  string // path of the ring file

	dir     string
	servers []*http.Server
	rings   []reloader
	lists   []io.Closer
	rotate  sync.Mutex
}

// OpenList gives a node a denylist, of which it then has a copy of its own.
type OpenList func() (Denylist, error)

// A Denylist is one that has to be closed.
type Denylist interface {
	revocation.List
	io.Closer
}

// A Node is one server of the demo.
type Node struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// A reloader is a live ring and the file that it follows.
type reloader interface {
	Reload() error
	Close() error
}

// Start makes a ring in a temporary directory and serves: the front on addr, the
// nodes on free loopback ports. What the nodes refuse is told to logs. A nil open
// has them share a list in memory.
func Start(addr string, logs io.Writer, open OpenList) (*Demo, error) {
	front, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start demo: %w", err)
	}
	d := new(Demo)
	if err := d.start(front, log.New(logs, "", log.Ltime), open); err != nil {
		front.Close()
		return nil, errors.Join(fmt.Errorf("start demo: %w", err), d.Close())
	}
	return d, nil
}

func (d *Demo) start(front net.Listener, logs *log.Logger, open OpenList) (err error) {
	if d.dir, err = os.MkdirTemp("", "carnet-demo-"); err != nil {
		return err
	}
	d.Ring = filepath.Join(d.dir, "ring.json")
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		return err
	}
	if err := d.source().Create(context.Background(), set); err != nil {
		return err
	}
	if err := d.exportAll(set); err != nil {
		return err
	}
	if open == nil {
		shared := inMemory{new(revocation.Memory)}
		open = func() (Denylist, error) { return shared, nil }
	}
	for _, name := range []string{"A", "B", "C"} {
		denied, err := open()
		if err != nil {
			return err
		}
		d.lists = append(d.lists, denied)
		if err := d.startNode(name, denied, logs); err != nil {
			return err
		}
	}
	d.Front = d.serve(front, newFront(d.Nodes))
	return nil
}

// inMemory has nothing to close.
type inMemory struct{ *revocation.Memory }

func (inMemory) Close() error { return nil }

func (d *Demo) startNode(name string, denied revocation.List, logs *log.Logger) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	n := node{name: name, denied: denied, logs: logs, rotate: d.Rotate}
	var ring reloader
	if name == "A" {
		ring, err = n.mintWith(d.Ring)
	} else {
		ring, err = n.verifyWith(d.verifyFile(name), d.Nodes[0].URL)
	}
	if err != nil {
		l.Close()
		return err
	}
	d.rings = append(d.rings, ring)
	d.Nodes = append(d.Nodes, Node{name, d.serve(l, n.handler())})
	return nil
}

func (d *Demo) serve(l net.Listener, h http.Handler) (url string) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	d.servers = append(d.servers, s)
	go s.Serve(l)
	return "http://" + l.Addr().String()
}

// source is where the ring is. It is in the clear, and gone with the demo.
func (d *Demo) source() keys.Source { return keys.Source{Path: d.Ring, Plain: true} }

// verifyFile is where a node that can't mint has its keys.
func (d *Demo) verifyFile(node string) string {
	return filepath.Join(d.dir, "verify-"+node+".json")
}

// exportAll gives the nodes that can't mint their verify-only files.
func (d *Demo) exportAll(s *keys.Set) error {
	doc, err := s.VerifyOnly()
	if err != nil {
		return err
	}
	for _, name := range []string{"B", "C"} {
		if err := replace(d.verifyFile(name), doc); err != nil {
			return err
		}
	}
	return nil
}

func replace(path string, doc []byte) error {
	if err := os.WriteFile(path+".new", doc, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Rotate rotates the ring, hands it out, and has all nodes pick it up. That the
// waiting time can be forced is because it knows that every node has the last
// generation: it loaded it there.
func (d *Demo) Rotate() (*keys.Set, error) {
	d.rotate.Lock()
	defer d.rotate.Unlock()
	s, err := d.source().Edit(context.Background(), func(s *keys.Set) (*keys.Set, error) { return s.Rotate("", true) })
	if err != nil {
		return nil, err
	}
	if err := d.exportAll(s); err != nil {
		return nil, err
	}
	for _, r := range d.rings {
		if err := r.Reload(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close stops the servers, closes their lists and removes the ring.
func (d *Demo) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	for _, s := range d.servers {
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
	}
	d.rotate.Lock() // for good: a rotation that is under way writes into the directory
	for _, r := range d.rings {
		r.Close()
	}
	var errs []error
	for _, l := range d.lists {
		errs = append(errs, l.Close())
	}
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}
