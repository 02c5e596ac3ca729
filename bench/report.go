package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A report is all that was measured.
type report struct {
	runs     []result
	order    []*row // the rows of the first run, as they came
	machine  string
	sessions []curve
	keys     []curve
	marks    []curve
	cores    float64
	hotCores float64
	small    footing
	large    footing
	profiles []profiled
	sizes    []string
}

type profiled struct {
	name  string
	parts map[string]float64
}

//go:embed method.md
var method string

// write writes the page and its plots.
func (r *report) write(dir string) error {
	files := map[string]string{
		"benchmarks.md":           r.page(),
		"benchmarks.svg":          r.requestChart(),
		"benchmarks-sessions.svg": lineChart("A verification and a request, by how many sessions are live", "live sessions", r.sessions),
		"benchmarks-keys.svg":     lineChart("A verification, by how many keys the ring has", "keys", r.keys),
		"benchmarks-marks.svg":    lineChart("A hot verification, by how many sessions were taken back", "marks", r.marks),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *report) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmarks\n\nWritten by `make bench`. %s; %d slices of each row.\n", r.machine, r.slices())
	if r.slices() < enough {
		b.WriteString("\n**A short run: too few slices to go by.**\n")
	}
	b.WriteString("\n## A request with a session\n\n![What a request costs behind each kind of session](benchmarks.svg)\n\n" + chartText +
		"## Bounds\n\nRatios of times, and numbers of allocations, for the small session in two runs. The bounds are goals " +
		"that were set before it was measured; each has to hold in both runs. A *floor* is the bare work with the standard library.\n\n" +
		"| | bound | run 1 | run 2 | holds |\n| --- | --- | ---: | ---: | --- |\n")
	for _, c := range claimed() {
		b.WriteString(c.line(r.runs))
	}
	r.missed(&b)
	r.agreement(&b)
	for _, w := range works() {
		fmt.Fprintf(&b, "\n## %s%s session, %d bytes of data\n\n%s", strings.ToUpper(w.name[:1]), w.name[1:], w.size(), tableText)
		r.tables(&b, w.name)
	}
	r.others(&b)
	b.WriteString("\n" + method + "\n## Sizes\n\n")
	for _, s := range r.sizes {
		b.WriteString("- " + s + "\n")
	}
	b.WriteString("\n## Growth\n\n![by sessions](benchmarks-sessions.svg)\n\n![by keys](benchmarks-keys.svg)\n\n![by marks](benchmarks-marks.svg)\n\n")
	r.growth(&b)
	r.profile(&b)
	return b.String()
}

// chartText stands under the plot.
const chartText = "One chi route behind each of them, small session. A request to carnet has a token that the node has seen before, " +
	"unless the line has no cache. Where a line waits for Redis both halves are time of the clock.\n\n"

// tableText stands over both tables. The lines of carnet are read with the cache
// on, as it is unless it is turned off.
const tableText = "Processor time of the first run. *x HS256* is the ratio to the line of golang-jwt HS256; in brackets, the " +
	"time of the clock where a row waits. An empty cell was not measured. *Runs differ by* is the farthest that a time of the " +
	"line was from the second run. A line of carnet has its data read, and in *chi* and *loopback* the token was seen before, " +
	"unless it says otherwise.\n\n"

// enough slices are needed for a percentile to mean something.
const enough = 8

func (r *report) slices() int { return len(r.order[0].cpu) }

func (r *report) growth(b *strings.Builder) {
	for _, g := range []struct {
		name   string
		curves []curve
	}{{"live sessions", r.sessions}, {"keys", r.keys}, {"marks", r.marks}} {
		b.WriteString("| " + g.name)
		for _, p := range g.curves[0].points {
			b.WriteString(" | " + count(p.x))
		}
		b.WriteString(" |\n| ---" + strings.Repeat(" | ---", len(g.curves[0].points)) + " |\n")
		for _, c := range g.curves {
			b.WriteString("| " + c.name)
			for _, p := range c.points {
				b.WriteString(" | " + duration(p.cost))
			}
			b.WriteString(" |\n")
		}
		b.WriteString("\n")
	}
	b.WriteString(sessionBounds(r.sessions))
	fmt.Fprintf(b, "By the processor time that each takes, two cores verify %.2f times as many hot tokens as one if each asks for many of them, and %.2f times if both ask for the same one.\n\n", r.cores, r.hotCores)
	fmt.Fprintf(b, "A session in the cache takes %.0f bytes (large: %.0f), token included; with the cache off, %.0f. A full cache of %d MiB takes %.1f MiB.\n",
		r.small.cached, r.large.cached, r.small.off, cacheSize>>20, r.small.full/(1<<20))
}

func (r *report) profile(b *strings.Builder) {
	b.WriteString("\n## Where the time goes\n\nPer cent of a CPU profile of the small session.\n\n|")
	for _, p := range r.profiles {
		b.WriteString(" | " + p.name)
	}
	b.WriteString(" |\n| ---" + strings.Repeat(" | ---", len(r.profiles)) + " |\n")
	for _, part := range parts {
		b.WriteString("| " + part.name)
		for _, p := range r.profiles {
			fmt.Fprintf(b, " | %.0f", p.parts[part.name])
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n" + leftToWin)
}

//go:embed left.md
var leftToWin string
