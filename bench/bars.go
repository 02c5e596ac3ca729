package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A bar is what a request costs behind one kind of session.
type bar struct {
	name             string
	inProcess, clock float64 // nanoseconds
	ours, bare       bool
}

// requestChart shows what a chi handler behind each kind of session costs.
func (r *report) requestChart() string {
	var bars []bar
	for _, row := range r.order {
		if row.group != recorderGroup+" small" || row.name == bareSite {
			continue
		}
		b := bar{name: row.name, inProcess: row.low(), ours: strings.HasPrefix(row.name, "carnet"), bare: row.name == bareCookieSite}
		if row.waits() {
			b.inProcess = row.lowWall()
		}
		if over := r.runs[0][loopbackGroup+" small/"+row.name]; over != nil {
			b.clock = over.lowWall()
		}
		bars = append(bars, b)
	}
	slices.SortStableFunc(bars, func(a, b bar) int { return cmp.Compare(a.inProcess, b.inProcess) })
	return barChart("What a request costs, small session", bars)
}

const (
	names, width, height = 270, 250, 23
	second               = names + width + 90 // where the right half begins
)

// barChart draws both costs of each bar side by side. The scales begin at zero.
func barChart(title string, bars []bar) string {
	var b strings.Builder
	bottom := 72 + height*len(bars)
	fmt.Fprintf(&b, frame, second+width+80, bottom+12, escaped(title))
	fmt.Fprintf(&b, "<desc>%s</desc>\n", escaped(described(bars)))
	fmt.Fprintf(&b, `<text x="%d" y="50" fill="#57606a">in process</text><text x="%d" y="50" fill="#57606a">over loopback, time of the clock</text>`+"\n", names, second)
	var mostIn, mostOver float64
	for _, x := range bars {
		mostIn, mostOver = max(mostIn, x.inProcess), max(mostOver, x.clock)
	}
	for i, x := range bars {
		y := 60 + height*i
		fill, weight := "#a9b4c0", "normal"
		switch {
		case x.ours:
			fill, weight = "#0b5cad", "bold"
		case x.bare:
			fill = "#dfe4e9"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" font-weight="%s">%s</text>`+"\n", names-8, y+13, weight, escaped(x.name))
		oneBar(&b, names, y, x.inProcess, mostIn, fill, weight)
		oneBar(&b, second, y, x.clock, mostOver, fill, weight)
	}
	return b.String() + "</svg>\n"
}

func oneBar(b *strings.Builder, x, y int, cost, most float64, fill, weight string) {
	if cost == 0 {
		return
	}
	length := max(1, width*cost/most)
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="16" fill="%s"/><text x="%.1f" y="%d" font-weight="%s">%s</text>`+"\n",
		x, y, length, fill, float64(x)+length+6, y+13, weight, duration(cost))
}

// described says the same in words.
func described(bars []bar) string {
	var said []string
	for _, x := range bars {
		said = append(said, fmt.Sprintf("%s: %s in process, %s over loopback", x.name, duration(x.inProcess), duration(x.clock)))
	}
	return strings.Join(said, "; ") + "."
}
