package main

import (
	"fmt"
	"slices"
	"strings"
)

// A line of the tables is one way to carry a session: the names of its rows among
// the tokens, among the hot verifications and among the sites.
type line struct{ label, token, hot, site string }

type section struct {
	name  string
	lines []line
}

func both(name string) line { return line{name, name, "", name} }

// sections are the lines of a table in their order.
func sections() []section {
	const digest = ", cache by digest"
	return []section{
		{"carnet: signed, then encrypted", []line{
			{ours, ours, hotCopy, carnetHotSite},
			{ours + plainData, "", hotPlain, carnetHotSite + plainData},
			{ours + noData, "carnet jwt" + noData, hotWhole, carnetHotSite + noData},
			{ours + digest, "", hotCopy + byDigest, ""},
			{ours + plainData + digest, "", hotPlain + byDigest, ""},
			{ours + noData + digest, "", hotWhole + byDigest, ""},
			{ours + ", no cache", "", "", carnetColdSite},
			{oursPASETO + ", no cache", oursPASETO, "", carnetColdSite + " PASETO"},
			{oursPASETO + noData, "carnet paseto" + noData, "", ""},
			{localLayer, localLayer, "", ""},
		}},
		{"signed, then encrypted", []line{both("go-jose nested"), both("jwx nested")}},
		{"encrypted", []line{both("go-paseto v4.local"), both("gorilla/securecookie JSON"), both(gorillaName)}},
		{"signed only", []line{both(hs256), both("golang-jwt EdDSA"), both("golang-jwt ES256"),
			both("go-paseto v4.public"), both(jwtauthSite)}},
		{"asks a store", []line{both(scsName), both(scsRedisSite), both(existsSite)}},
		{"floors", floorLines()},
	}
}

func floorLines() (lines []line) {
	for _, f := range floors() {
		lines = append(lines, both(f.name), both(f.name+noJSON))
	}
	return append(lines, both(bareSign), both(bareVerify), both(bareSite), both(bareCookieSite))
}

// A column shows a group of rows.
type column struct {
	head, group string
	name        func(line) string
	show        func(*row) string
}

func byToken(l line) string { return l.token }
func byHot(l line) string   { return l.hot }
func bySite(l line) string  { return l.site }

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

func timeColumns(size string, first result) []column {
	against := func(group, name string) func(*row) string {
		base := first[group+" "+size+"/"+name]
		return func(r *row) string {
			if base == nil {
				return ""
			}
			return times(r.low() / base.low())
		}
	}
	return []column{
		{"issue", issueGroup, byToken, processorTime},
		{"verify cold", verifyGroup, byToken, processorTime},
		{"x HS256", verifyGroup, byToken, against(verifyGroup, hs256)},
		{"verify hot", hotGroup, byHot, processorTime},
		{"forged", forgedGroup, byToken, processorTime},
		{"garbage", garbageGroup, byToken, processorTime},
		{"oversize", oversizeGroup, byToken, processorTime},
		{"chi, in process", recorderGroup, bySite, waiting},
		{"x HS256", recorderGroup, bySite, against(recorderGroup, hs256)},
		{"loopback, processor", loopbackGroup, bySite, processorTime},
		{"loopback, clock", loopbackGroup, bySite, clockTime},
	}
}

func allocColumns() []column {
	return []column{
		{"issue", issueGroup, byToken, allocated},
		{"verify cold", verifyGroup, byToken, allocated},
		{"verify hot", hotGroup, byHot, allocated},
		{"forged", forgedGroup, byToken, allocated},
		{"garbage", garbageGroup, byToken, allocated},
		{"oversize", oversizeGroup, byToken, allocated},
		{"chi, in process", recorderGroup, bySite, allocated},
		{"loopback", loopbackGroup, bySite, allocated},
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
	r.table(b, size, timeColumns(size, first), true)
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
		fmt.Fprintf(b, "| **%s** |%s\n", s.name, strings.Repeat(" |", width))
		for _, l := range s.lines {
			r.line(b, l, size, columns, differ)
		}
	}
}

// line writes a line of a table, if any of its rows was measured.
func (r *report) line(b *strings.Builder, l line, size string, columns []column, differ bool) {
	cells, any, far := "", false, 0.0
	for _, c := range columns {
		key := c.group + " " + size + "/" + c.name(l)
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
		b.WriteString("| " + l.label + cells + " |\n")
	}
}

// others writes the rows that no line of the tables names, so that none that was
// measured is missing from the page.
func (r *report) others(b *strings.Builder) {
	shown := map[string]bool{}
	for _, s := range sections() {
		for _, l := range s.lines {
			for _, c := range allocColumns() {
				shown[c.group+"/"+c.name(l)] = true
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
