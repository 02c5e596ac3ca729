package main

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "measure the groups that contain this")
	n := flag.Int("slices", 60, "slices of each row")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	p := plan{*n, 8 * time.Millisecond}
	for _, w := range works() {
		var rows []*row
		for _, r := range tokenRows(w) {
			if strings.Contains(r.group+" "+r.name, *only) {
				rows = append(rows, r)
			}
		}
		p.measure(rows)
		for _, r := range rows {
			fmt.Printf("%-16s %-40s %10.0f ns %6.0f allocs %8.0f B\n", r.group, r.name, r.low(), r.allocs, r.bytes)
		}
	}
}
