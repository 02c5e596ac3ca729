// The command bench measures carnet beside what its users could pick instead, and
// writes docs/benchmarks.md. Run it by "make bench".
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"time"

	"github.com/redis/go-redis/v9"
)

func main() {
	only := flag.String("only", "", "print the rows that match this expression, and write nothing")
	slices := flag.Int("slices", 60, "slices of each row")
	out := flag.String("o", "../docs", "directory for benchmarks.md and its plots")
	flag.Parse()
	rdb, stop, err := startRedis()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	defer stop()
	p := plan{*slices, 8 * time.Millisecond}
	if *only != "" {
		print(p.run(rdb, regexp.MustCompile(*only)))
		return
	}
	if err := p.report(rdb).write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// report measures everything, the rows twice.
func (p plan) report(rdb *redis.Client) *report {
	all := regexp.MustCompile("")
	first := p.run(rdb, all)
	second := p.run(rdb, all)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r := &report{
		runs: []result{index(first), index(second)}, order: first,
		sessions: p.sessionGrowth(), keys: p.keyGrowth(), marks: p.markGrowth(),
		cores: cores(1000), hotCores: cores(1),
		small: memory(works()[0]), large: memory(works()[1]),
		sizes: sizes(),
	}
	for _, name := range []string{verifyGroup + " small/" + ours, hotGroup + " small/" + hotPlain, hotGroup + " small/" + hotWhole,
		recorderGroup + " small/" + carnetHotSite, issueGroup + " small/" + ours} {
		row := r.runs[0][name]
		parts, err := profile(row.op)
		check(err)
		r.profiles = append(r.profiles, profiled{row.group + ": " + row.name, parts})
	}
	return r
}

// run measures all rows once, or those that contain a text.
func (p plan) run(rdb *redis.Client, only *regexp.Regexp) []*row {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var all []*row
	for _, w := range works() {
		rows, stop := httpRows(w, rdb)
		for _, group := range [][]*row{tokenRows(w), rows} {
			group = matching(group, only)
			p.measure(group)
			all = append(all, group...)
		}
		stop()
	}
	return all
}

func httpRows(w work, rdb *redis.Client) (rows []*row, stop func()) {
	var stops []func()
	for _, s := range sites(w.data, rdb) {
		r, stop := s.overLoopback(w)
		rows, stops = append(rows, s.inProcess(w), r), append(stops, stop)
	}
	return rows, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

func matching(rows []*row, only *regexp.Regexp) (some []*row) {
	for _, r := range rows {
		if only.MatchString(r.group + " " + r.name) {
			some = append(some, r)
		}
	}
	return some
}

func print(rows []*row) {
	for _, r := range rows {
		fmt.Printf("%-16s %-42s %10.0f ns %10.0f ns wall %5.0f allocs %7.0f B\n",
			r.group, r.name, r.low(), r.lowWall(), r.allocs, r.bytes)
	}
}
