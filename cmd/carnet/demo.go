package main

import (
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/cmd/carnet/internal/demo"
)

func newDemoCmd() *cobra.Command {
	var addr string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run three nodes that share sessions without a store",
		Long: `Run three nodes on loopback ports and a front that sends each request to the next
of them. Node A mints sessions; B and C can only read them. The ring is a fresh
one in a temporary directory and is removed at the end. Ctrl-C ends the demo.

Addresses go to standard output, what the nodes refuse to standard error.`,
		Example: "  carnet demo\n  carnet demo --addr 127.0.0.1:9000 --json",
		Args:    cobra.ExactArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDemo(cmd, addr, asJSON) },
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "where the front listens")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the addresses as an object")
	return cmd
}

func runDemo(cmd *cobra.Command, addr string, asJSON bool) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	d, err := demo.Start(addr, cmd.ErrOrStderr())
	if err != nil {
		return advise(err, "choose another address with --addr")
	}
	if err := printDemo(cmd.OutOrStdout(), d, asJSON); err != nil {
		d.Close()
		return err
	}
	next(cmd, "open %s in a browser; Ctrl-C ends the demo", d.Front)
	<-ctx.Done()
	return d.Close()
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
