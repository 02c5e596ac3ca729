package main

import (
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/cmd/carnet/internal/demo"
)

func newDemoCmd() *cobra.Command {
	var addr string
	var asJSON bool
	p := &listPlace{prefix: "carnet-demo:", wait: 10 * time.Second}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run three nodes that share sessions without a store",
		Long: `Run three nodes on loopback ports and a front that sends each request to the next
of them. Node A mints sessions; B and C can only read them. The ring is a fresh
one in a temporary directory and is removed at the end. Ctrl-C ends the demo.

With --redis each node has a connection and a copy of the denylist of its own, and a
logout on one is known on the others in a moment. Stop Redis, and the nodes go on.

Addresses go to standard output, what the nodes refuse to standard error.`,
		Example: "  carnet demo\n  carnet demo --addr 127.0.0.1:9000 --json\n  carnet demo --redis redis://localhost:6379/0",
		Args:    noArgs("the demo takes flags only"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDemo(cmd, p, addr, asJSON) },
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "where the front listens")
	cmd.Flags().StringVar(&p.list, "redis", "", "have the nodes share a denylist on the Redis at `redis://HOST:PORT/DB`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the addresses as an object")
	return cmd
}

func runDemo(cmd *cobra.Command, p *listPlace, addr string, asJSON bool) error {
	open, err := demoList(cmd, p)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	d, err := demo.Start(addr, cmd.ErrOrStderr(), open)
	if f := new(failure); errors.As(err, &f) {
		return err // it has advice of its own
	}
	if err != nil {
		return advise(err, "choose another address with --addr")
	}
	if err := printDemo(cmd.OutOrStdout(), d, asJSON); err != nil {
		d.Close()
		return err
	}
	next(cmd, "open %s in a browser; Ctrl-C ends the demo", d.Front)
	if open != nil {
		next(cmd, "deny somebody: carnet deny subject alice --list %s --prefix %s", shell(p.String()), p.prefix)
	}
	<-ctx.Done()
	return d.Close()
}

// demoList returns what opens the denylist of a node; nil is one in memory.
func demoList(cmd *cobra.Command, p *listPlace) (demo.OpenList, error) {
	if p.list == "" {
		return nil, nil
	}
	if !p.redis() && !strings.HasPrefix(p.list, "env:") {
		return nil, usageError("--redis takes an address as redis://HOST:PORT/DB")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return func() (demo.Denylist, error) { return p.openRedis(cmd.Context(), true) }, nil
}

func printDemo(w io.Writer, d *demo.Demo, asJSON bool) error {
	if asJSON {
		return printJSONLine(w, struct {
			Front string      `json:"front"`
			Nodes []demo.Node `json:"nodes"`
			Ring  string      `json:"ring"`
		}{d.Front, d.Nodes, d.Ring})
	}
	line := "front " + d.Front
	for _, n := range d.Nodes {
		line += fmt.Sprintf("  %s %s", n.Name, n.URL)
	}
	return printAll(w, []byte(line+"\n"))
}
