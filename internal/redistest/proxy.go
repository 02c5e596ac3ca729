package redistest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// A Proxy stands between two parties, and can come between them.
type Proxy struct {
	Addr string

	target string
	mu     sync.Mutex
	state  proxyState
	thawed chan struct{} // closed when it is not frozen
	conns  map[net.Conn]bool
}

type proxyState int

const (
	passes proxyState = iota
	frozen
	cut
	deaf // to what the target answers
)

// NewProxy returns a proxy before an address. It is gone when the test ends.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, thawed: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(p.thawed)
	var serving sync.WaitGroup
	serving.Go(func() { p.serve(l, &serving) })
	tb.Cleanup(func() {
		l.Close()
		p.Cut()
		serving.Wait()
	})
	return p
}

// Port returns the port.
func (p *Proxy) Port() string {
	_, port, _ := net.SplitHostPort(p.Addr)
	return port
}

// Freeze lets nothing through any more: connections stay, new ones are taken, and
// nobody answers. So it is when packets are lost.
func (p *Proxy) Freeze() { p.set(frozen) }

// Cut closes all connections, and each new one.
func (p *Proxy) Cut() { p.set(cut) }

// LoseAnswers lets everything through to the target, and closes a connection instead
// of letting an answer back: whoever asked can't know whether it was done.
func (p *Proxy) LoseAnswers() { p.set(deaf) }

// Heal lets everything through. Connections that were frozen are closed.
func (p *Proxy) Heal() { p.set(passes) }

func (p *Proxy) set(s proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == frozen && s != frozen {
		close(p.thawed)
	}
	if p.state != frozen && s == frozen {
		p.thawed = make(chan struct{})
	}
	if s == cut || p.state == frozen && s == passes {
		for c := range p.conns {
			c.Close()
		}
	}
	p.state = s
}

func (p *Proxy) serve(l net.Listener, serving *sync.WaitGroup) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		serving.Go(func() { p.join(in) })
	}
}

func (p *Proxy) join(in net.Conn) {
	defer p.drop(in)
	if !p.keep(in) || !p.pass(deaf) {
		return
	}
	out, err := net.DialTimeout("tcp", p.target, time.Second)
	if err != nil {
		return
	}
	defer p.drop(out)
	if !p.keep(out) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(in, out, passes) })
	both.Go(func() { p.copy(out, in, deaf) })
	both.Wait()
}

func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	return p.state != cut
}

func (p *Proxy) drop(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// pass waits until it is not frozen, and reports whether it passes then, or is in
// the other state.
func (p *Proxy) pass(other proxyState) bool {
	p.mu.Lock()
	thawed := p.thawed
	p.mu.Unlock()
	<-thawed
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == passes || p.state == other
}

func (p *Proxy) copy(to, from net.Conn, also proxyState) {
	defer to.Close()
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if !p.pass(also) {
				return
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
