package demo

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
)

// The test binary can be a node of its own: CARNET_TEST_NODE is its name,
// CARNET_TEST_RING its file, and it serves on the listener at descriptor 3.
func TestMain(m *testing.M) {
	if name := os.Getenv("CARNET_TEST_NODE"); name != "" {
		log.Fatal(serveNode(name, os.Getenv("CARNET_TEST_RING")))
	}
	os.Exit(m.Run())
}

func serveNode(name, ring string) error {
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	n := node{name: name, denied: new(revocation.Memory), logs: log.New(os.Stderr, "", 0)}
	if filepath.Base(ring) == "ring.json" {
		_, err = n.mintWith(ring)
	} else {
		_, err = n.verifyWith(ring, "http://127.0.0.1:1")
	}
	if err != nil {
		return err
	}
	return http.Serve(l, n.handler())
}

// A process is a node that can be killed and started again at its address.
type process struct {
	name, ring, url string
	listener        *os.File
	cmd             *exec.Cmd
}

func newProcess(t *testing.T, name, ring string) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{name: name, ring: ring, url: "http://" + l.Addr().String(), listener: f}
	t.Cleanup(func() { p.kill(); f.Close() })
	p.start(t)
	return p
}

// start returns at once: the listener queues what comes before the node serves.
func (p *process) start(t *testing.T) {
	t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), "CARNET_TEST_NODE="+p.name, "CARNET_TEST_RING="+p.ring)
	p.cmd.ExtraFiles = []*os.File{p.listener}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func TestKilledNode(t *testing.T) {
	dir := t.TempDir()
	ring, verify := filepath.Join(dir, "ring.json"), filepath.Join(dir, "verify.json")
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if err := (keys.Source{Path: ring, Plain: true}).Create(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	doc, err := set.VerifyOnly()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(verify, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	nodes := []*process{newProcess(t, "A", ring), newProcess(t, "B", verify), newProcess(t, "C", verify)}

	var cookies []string
	for i := range 100 {
		cookies = append(cookies, logIn(t, nodes[0].url, fmt.Sprint("user ", i)))
	}
	for _, victim := range nodes {
		victim.kill()
		for _, n := range nodes {
			if n != victim {
				checkAll(t, n, cookies)
			}
		}
		victim.start(t)
		checkAll(t, victim, cookies)
	}
}

func checkAll(t *testing.T, n *process, cookies []string) {
	t.Helper()
	for _, cookie := range cookies {
		if r := send(t, "GET", n.url+"/me", cookie, ""); r.status != http.StatusOK || r.body.Node != n.name {
			t.Errorf("node %s: %d %s", n.name, r.status, r.text)
		}
	}
}
