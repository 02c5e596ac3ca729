package main

import (
	"bufio"
	"fmt"
	"io"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/revocation/redislist"
)

type deniedVerb struct {
	listPlace
	axis   string
	value  string
	by     string
	follow bool
	json   bool
}

func newDeniedCmd() *cobra.Command {
	v := new(deniedVerb)
	cmd := &cobra.Command{
		Use:   "denied --list LIST",
		Short: "List what was taken back",
		Long: `List the marks in force, in no order: what they take back, until when, by whom and
why. A list on Redis keeps no names of plain logouts; ID stands for axis and name
there, and --value finds it.

With --follow go on with the marks that come in, until Ctrl-C.`,
		Example: "  carnet denied --list redis://localhost:6379/0 --value alice\n  carnet denied --list denied.log --json",
		Args:    noArgs("name the denylist with --list, and what to look for with --value"),
		RunE:    v.run,
	}
	v.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&v.axis, "axis", "", "only marks of session, subject, tenant, key or everyone")
	f.StringVar(&v.value, "value", "", "only marks of that session, subject, tenant or key, by its name or ID")
	f.StringVar(&v.by, "by", "", "only marks set by that person")
	f.BoolVar(&v.follow, "follow", false, "go on with the marks that come in")
	f.BoolVar(&v.json, "json", false, "print one object a line")
	return cmd
}

// axisNames are those of the command line.
var axisNames = map[string]string{"": "", "session": "session", "subject": "subject", "tenant": "audience", "audience": "audience", "key": "key", "everyone": "everyone"}

func (v *deniedVerb) run(cmd *cobra.Command, _ []string) error {
	axis, ok := axisNames[v.axis]
	if !ok {
		return usageError("there is no axis %.20q: use session, subject, tenant, key or everyone", v.axis)
	}
	v.axis = axis
	if err := v.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	l, err := v.read(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	out := &printer{w: bufio.NewWriter(cmd.OutOrStdout()), json: v.json, only: v.wants, follow: v.follow}
	out.head()
	if v.follow {
		return v.followAll(ctx, l, out)
	}
	for e := range l.marks() {
		out.print(e)
	}
	return out.end(cmd.ErrOrStderr())
}

func (v *deniedVerb) wants(e redislist.Entry) bool {
	return (v.axis == "" || v.axis == string(e.Axis)) &&
		(v.by == "" || v.by == e.By) &&
		(v.value == "" || v.value == e.Value || v.value == e.ID || e.ID == redislist.ID(e.Axis, v.value))
}

// A printer prints entries as they come.
type printer struct {
	mu     sync.Mutex
	w      *bufio.Writer
	json   bool
	follow bool
	only   func(redislist.Entry) bool
	seen   map[redislist.Entry]bool // while following, which may tell twice
	count  int
	err    error
}

const rowFormat = "%-8s  %-20s  %-20s  %-24s  %s\n"

func (p *printer) head() {
	if !p.json {
		fmt.Fprintf(p.w, rowFormat, "AXIS", "BEGAN BEFORE", "UNTIL", "ID", "NAME, BY, REASON")
	}
	p.flush()
}

// A listed is an entry as a program reads it.
type listed struct {
	Axis   string    `json:"axis"`
	Value  string    `json:"value,omitempty"`
	ID     string    `json:"id"`
	Except string    `json:"except,omitempty"`
	Before time.Time `json:"before,omitzero"`
	Until  time.Time `json:"until"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

func (p *printer) print(e redislist.Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil || !p.only(e) || p.follow && p.seen[e] {
		return
	}
	if p.follow {
		if p.seen == nil {
			p.seen = map[redislist.Entry]bool{}
		}
		p.seen[e] = true
	}
	p.count++
	out := newListed(e)
	if p.json {
		p.err = printJSONLine(p.w, out)
	} else {
		_, p.err = fmt.Fprintf(p.w, rowFormat, out.Axis, stamp(out.Before), stamp(out.Until), out.ID, out.text())
	}
	p.flush()
}

func newListed(e redislist.Entry) listed {
	out := listed{string(e.Axis), e.Value, e.ID, e.Except, e.At, e.Until, e.By, e.Reason}
	if e.Axis == "session" || e.Axis == "key" {
		out.Before = time.Time{} // it counts for nothing
	}
	return out
}

// text quotes names: they could steer a terminal.
func (l listed) text() string {
	s := "-"
	if l.Value != "" {
		s = strconv.Quote(l.Value)
	}
	if l.Except != "" {
		s += " except " + strconv.Quote(l.Except)
	}
	if l.By != "" {
		s += " by " + strconv.Quote(l.By)
	}
	if l.Reason != "" {
		s += ": " + strconv.Quote(l.Reason)
	}
	return s
}

// flush has each line shown at once to who follows.
func (p *printer) flush() {
	if p.follow && p.err == nil {
		p.err = p.w.Flush()
	}
}

func (p *printer) end(notes io.Writer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = p.w.Flush()
	}
	if p.err != nil {
		return fmt.Errorf("write result: %w", p.err)
	}
	fmt.Fprintf(notes, "%d marks\n", p.count)
	return nil
}
