// The command bench measures carnet beside what its users could pick instead, and
// writes docs/benchmarks.md. Run it by "make bench".
package main

import (
	"errors"
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
	raw := flag.Bool("rows", false, "measure all rows once, print them as JSON, and write nothing")
	slices := flag.Int("slices", 12, "slices of each row")
	out := flag.String("o", "../docs", "directory for benchmarks.md and its plots")
	flag.Parse()
	if err := (plan{*slices, 160 * time.Millisecond}).main(*only, *raw, *out, flag.Args()...); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (p plan) main(only string, raw bool, out string, rest ...string) error {
	matches, err := regexp.Compile(only)
	if err == nil && p.slices < 1 {
		err = errors.New("at least one slice has to be measured")
	}
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%q belongs to no flag", rest[0])
	}
	if err != nil {
		return err
	}
	if only == "" && !raw {
		if _, err := os.ReadDir(out); err != nil {
			return err // before all is measured for nothing
		}
		r, err := p.report()
		if err != nil {
			return err
		}
		return r.write(out)
	}
	rdb, stop, err := startRedis()
	if err != nil {
		return err
	}
	defer stop()
	rows := p.run(rdb, matches)
	if len(rows) == 0 {
		return fmt.Errorf("no row matches %q", only)
	}
	if raw {
		return writeRows(os.Stdout, rows)
	}
	print(rows)
	return nil
}

// report measures everything, the rows twice.
func (p plan) report() (*report, error) {
	r := &report{machine: machine()}
	for range 2 {
		rows, err := p.inProcessOfItsOwn()
		if err != nil {
			return nil, err
		}
		r.runs = append(r.runs, index(rows))
		if r.order == nil {
			r.order = rows
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r.sessions, r.keys, r.marks = p.sessionGrowth(), p.keyGrowth(), p.markGrowth()
	r.cores, r.hotCores = cores(1000), cores(1)
	r.small, r.large = memory(works()[0]), memory(works()[1])
	r.sizes = sizes()
	return r, r.profileAll()
}

// run measures all rows once, or those that match.
func (p plan) run(rdb *redis.Client, only *regexp.Regexp) []*row {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var all []*row
	for _, w := range works() {
		recorder, loopback, stop := httpRows(w, rdb)
		for _, group := range [][]*row{tokenRows(w), recorder, loopback} {
			group = matching(group, only)
			p.measure(group)
			all = append(all, group...)
		}
		stop()
	}
	return all
}

func httpRows(w work, rdb *redis.Client) (recorder, loopback []*row, stop func()) {
	var stops []func()
	for _, s := range sites(w.data, rdb) {
		r, stop := s.overLoopback(w)
		recorder, loopback, stops = append(recorder, s.inProcess(w)), append(loopback, r), append(stops, stop)
	}
	return recorder, loopback, func() {
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
