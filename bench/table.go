package main

import (
	"fmt"
	"slices"
	"strings"
)

// A line of the tables is one way to carry a session. All its rows have its name,
// so that a reader can ask for one of them.
type line string

type section struct {
	name  string
	lines []line
}

// sections are the lines of a table in their order.
func sections() []section {
	return []section{
		{"carnet: signed, then encrypted", []line{
			ours, ours + plainData, ours + noData,
			ours + byDigest, ours + plainData + byDigest, ours + noData + byDigest, ours + noCache,
			oursPASETO, oursPASETO + noCache, oursPASETO + noData, localLayer,
		}},
		{"signed, then encrypted", []line{line("go-jose nested"), line("jwx nested")}},
		{"encrypted", []line{line("go-paseto v4.local"), line("gorilla/securecookie JSON"), line(gorillaName)}},
		{"signed only", []line{line(hs256), line("golang-jwt EdDSA"), line("golang-jwt ES256"),
			line("go-paseto v4.public"), line(jwtauthSite)}},
		{"asks a store", []line{line(scsName), line(scsRedisSite), line(existsSite)}},
		{"floors", floorLines()},
	}
}

func floorLines() (lines []line) {
	for _, f := range floors() {
		lines = append(lines, line(f.name), line(f.name+noJSON))
	}
	return append(lines, line(bareSign), line(bareVerify), line(bareSite), line(bareCookieSite))
}

// A column shows a group of rows.
type column struct {
	head, group string
	show        func(*row) string
}

func processorTime(r *row) string { return duration(r.low()) }
func clockTime(r *row) string     { return duration(r.lowWall()) }

// waits reports whether the processor time of a row is not all that it takes.
func (r *row) waits() bool { return r.name == existsSite || r.name == scsRedisSite }

// waiting adds the time of the clock where a row waits for Redis.
func waiting(r *row) string {
	if r.waits() {
		return fmt.Sprintf("%s (%s)", processorTime(r), clockTime(r))
	}
	return processorTime(r)
}

func allocated(r *row) string { return fmt.Sprintf("%g (%.0f)", r.allocs, r.bytes) }

// timesHS256 shows how many times as much as golang-jwt HS256 a row takes.
func timesHS256(group, size string, first result) column {
	base := first[group+" "+size+"/"+hs256]
	return column{"x HS256", group, func(r *row) string {
		if base == nil {
			return ""
		}
		return times(r.low() / base.low())
	}}
}

func tokenColumns(size string, first result) []column {
	return []column{
		{"issue", issueGroup, processorTime},
		{"verify cold", verifyGroup, processorTime},
		timesHS256(verifyGroup, size, first),
		{"verify hot", hotGroup, processorTime},
		{"forged", forgedGroup, processorTime},
		{"garbage", garbageGroup, processorTime},
		{"oversize", oversizeGroup, processorTime},
	}
}

func requestColumns(size string, first result) []column {
	return []column{
		{"chi, in process", recorderGroup, waiting},
		timesHS256(recorderGroup, size, first),
		{"loopback, processor", loopbackGroup, processorTime},
		{"loopback, clock", loopbackGroup, clockTime},
	}
}

func allocColumns() []column {
	return []column{
		{"issue", issueGroup, allocated},
		{"verify cold", verifyGroup, allocated},
		{"verify hot", hotGroup, allocated},
		{"forged", forgedGroup, allocated},
		{"garbage", garbageGroup, allocated},
		{"oversize", oversizeGroup, allocated},
		{"chi, in process", recorderGroup, allocated},
		{"loopback", loopbackGroup, allocated},
	}
}

func times(x float64) string {
	if x < 0.1 {
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// tables writes what one size of session cost: times, and folded allocations.
func (r *report) tables(b *strings.Builder, size string) {
	first := r.runs[0]
	b.WriteString("A token:\n\n")
	r.table(b, size, tokenColumns(size, first), true)
	b.WriteString("\nA request:\n\n")
	r.table(b, size, requestColumns(size, first), true)
	b.WriteString("\n<details><summary>Allocations, and in brackets their bytes</summary>\n\n")
	r.table(b, size, allocColumns(), false)
	b.WriteString("\n</details>\n")
}

func (r *report) table(b *strings.Builder, size string, columns []column, differ bool) {
	width := len(columns)
	b.WriteString("|")
	for _, c := range columns {
		b.WriteString(" | " + c.head)
	}
	if differ {
		width++
		b.WriteString(" | runs differ by")
	}
	b.WriteString(" |\n| ---" + strings.Repeat(" | ---:", width) + " |\n")
	for _, s := range sections() {
		var lines strings.Builder
		for _, l := range s.lines {
			r.line(&lines, l, size, columns, differ)
		}
		if lines.Len() > 0 {
			fmt.Fprintf(b, "| **%s** |%s\n%s", s.name, strings.Repeat(" |", width), lines.String())
		}
	}
}

// line writes a line of a table, if any of its rows was measured.
func (r *report) line(b *strings.Builder, l line, size string, columns []column, differ bool) {
	cells, any, far := "", false, 0.0
	for _, c := range columns {
		key := c.group + " " + size + "/" + string(l)
		row := r.runs[0][key]
		cells += " | "
		if row == nil {
			continue
		}
		cells, any = cells+c.show(row), true
		if other := r.runs[1][key]; other != nil {
			far = max(far, apart(row.low(), other.low()))
		}
	}
	if differ {
		cells += fmt.Sprintf(" | %.0f %%", 100*far)
	}
	if any {
		b.WriteString("| " + string(l) + cells + " |\n")
	}
}

// others writes the rows that no line of the tables names, so that none that was
// measured is missing from the page.
func (r *report) others(b *strings.Builder) {
	shown := map[string]bool{}
	for _, s := range sections() {
		for _, l := range s.lines {
			for _, c := range allocColumns() {
				shown[c.group+"/"+string(l)] = true
			}
		}
	}
	var rest []*row
	for _, row := range r.order {
		if group, _, _ := strings.Cut(row.group, " "); !shown[group+"/"+row.name] {
			rest = append(rest, row)
		}
	}
	if len(rest) == 0 {
		return
	}
	slices.SortStableFunc(rest, func(a, b *row) int { return strings.Compare(a.group, b.group) })
	b.WriteString("\n## Other rows\n\n| | | time | clock | allocations (bytes) |\n| --- | --- | ---: | ---: | ---: |\n")
	for _, row := range rest {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", row.group, row.name, processorTime(row), clockTime(row), allocated(row))
	}
}
