package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// A report is all that was measured.
type report struct {
	runs     []result
	order    []*row // the rows of the first run, as they came
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
		"benchmarks-sessions.svg": lineChart("A request, by how many sessions are live", "live sessions", r.sessions),
		"benchmarks-keys.svg":     lineChart("A request, by how many keys the ring has", "keys", r.keys),
		"benchmarks-marks.svg":    lineChart("A request, by how many sessions were taken back", "marks in revocation.Memory", r.marks),
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
	b.WriteString("# Benchmarks\n\nWritten by `make bench`; figures of the last run. ")
	fmt.Fprintf(&b, "%s, %s/%s, %d cores.\n\n%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), method)
	b.WriteString("## A request with a session\n\n![cost of a request](benchmarks.svg)\n\n## Bounds\n\n" +
		"Ratios of the 20th percentiles, small session, in two runs. A bound that does not hold in both is marked.\n\n" +
		"| | bound | run 1 | run 2 | holds |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range claimed() {
		b.WriteString(c.line(r.runs))
	}
	r.agreement(&b)
	b.WriteString("\n## Sizes\n\n")
	for _, s := range r.sizes {
		b.WriteString("- " + s + "\n")
	}
	b.WriteString("\n## Growth\n\n![by sessions](benchmarks-sessions.svg)\n\n![by keys](benchmarks-keys.svg)\n\n![by marks](benchmarks-marks.svg)\n\n")
	r.growth(&b)
	r.profile(&b)
	b.WriteString("\n## All rows\n\nThe first run. Times are of the processor; in brackets, where a row has to wait for others, of the clock.\n\n")
	r.table(&b)
	return b.String()
}

// agreement says how far two runs differ.
func (r *report) agreement(b *strings.Builder) {
	var diffs []float64
	for _, c := range claimed() {
		x, y := c.value(r.runs[0]), c.value(r.runs[1])
		if x > 0 && y > 0 {
			diffs = append(diffs, max(x, y)/min(x, y)-1)
		}
	}
	slices.Sort(diffs)
	fmt.Fprintf(b, "\nThe ratios of the two runs differ by %.0f %% (median) and %.0f %% (nine of ten).\n",
		100*quantile(diffs, 0.5), 100*quantile(diffs, 0.9))
}

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
	fmt.Fprintf(b, "Two cores serve %.2f times the hot requests of one if each asks for many tokens, and %.2f times if all ask for the same one.\n\n", r.cores, r.hotCores)
	fmt.Fprintf(b, "A session in the cache takes %.0f bytes (large: %.0f), token included; with the cache off, %.0f. A full cache of %d MiB takes %.1f MiB.\n",
		r.small.cached, r.large.cached, r.small.off, cacheSize>>20, r.small.full/(1<<20))
}

func (r *report) profile(b *strings.Builder) {
	b.WriteString("\n## Where the time goes\n\nPer cent of a CPU profile.\n\n|")
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

func (r *report) table(b *strings.Builder) {
	group := ""
	rows := slices.Clone(r.order)
	groups := []string{}
	for _, row := range rows {
		if !slices.Contains(groups, row.group) {
			groups = append(groups, row.group)
		}
	}
	slices.SortStableFunc(rows, func(a, b *row) int {
		return slices.Index(groups, a.group) - slices.Index(groups, b.group)
	})
	for _, row := range rows {
		if row.group != group {
			group = row.group
			fmt.Fprintf(b, "\n### %s\n\n| | time | allocations | bytes |\n| --- | --- | --- | --- |\n", group)
		}
		time := duration(row.low())
		if strings.HasPrefix(group, loopbackGroup) {
			time += " (" + duration(row.lowWall()) + ")"
		}
		fmt.Fprintf(b, "| %s | %s | %.0f | %.0f |\n", row.name, time, row.allocs, row.bytes)
	}
}

// requestChart shows what a chi handler behind each kind of session costs.
func (r *report) requestChart() string {
	var bars []bar
	for _, row := range r.order {
		if row.group == recorderGroup+" small" && row.name != bareCookieSite {
			cost := row.low()
			if row.name == existsSite || row.name == scsRedisSite {
				cost = row.lowWall() // it waits for Redis
			}
			bars = append(bars, bar{row.name, cost, strings.HasPrefix(row.name, "carnet")})
		}
	}
	slices.SortStableFunc(bars, func(a, b bar) int { return int(a.cost - b.cost) })
	return barChart("A request to a chi handler, in process, small session (logarithmic)", bars)
}
