package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// apart says by what part the larger of two costs exceeds the smaller.
func apart(x, y float64) float64 {
	if x == y {
		return 0
	}
	return max(x, y)/min(x, y) - 1
}

// A spread is how far two runs are apart in one figure.
type spread struct {
	name string
	by   float64
}

// spreads compares one figure of all rows of two runs.
func spreads(x, y result, figure func(*row) float64, groups ...string) (all []spread) {
	for key, row := range x {
		group, _, _ := strings.Cut(row.group, " ")
		if other := y[key]; other != nil && slices.Contains(groups, group) {
			all = append(all, spread{row.group + ", " + row.name, apart(figure(row), figure(other))})
		}
	}
	return all
}

func ratioSpreads(x, y result) (all []spread) {
	for _, c := range claimed() {
		if !c.count {
			all = append(all, spread{c.text, apart(c.value(x), c.value(y))})
		}
	}
	return all
}

// summary returns the median, what nine of ten stay below, and the worst.
func summary(all []spread) (median, nine float64, worst spread) {
	by := make([]float64, len(all))
	for i, s := range all {
		by[i] = s.by
	}
	byCost := func(a, b spread) int { return cmp.Or(cmp.Compare(a.by, b.by), strings.Compare(b.name, a.name)) }
	return quantile(by, 0.5), quantile(by, 0.9), slices.MaxFunc(all, byCost)
}

// agreement says how far the two runs are apart.
func (r *report) agreement(b *strings.Builder) {
	b.WriteString("\n| the two runs differ in | figures | median | nine of ten | worst | which |\n| --- | ---: | ---: | ---: | ---: | --- |\n")
	x, y := r.runs[0], r.runs[1]
	for _, what := range []struct {
		name string
		all  []spread
	}{
		{"ratios of the table above", ratioSpreads(x, y)},
		{"times of a token, of a request in process", spreads(x, y, (*row).low,
			issueGroup, verifyGroup, hotGroup, forgedGroup, garbageGroup, oversizeGroup, recorderGroup)},
		{"times over loopback, processor", spreads(x, y, (*row).low, loopbackGroup)},
		{"times over loopback, clock", spreads(x, y, (*row).lowWall, loopbackGroup)},
	} {
		median, nine, worst := summary(what.all)
		fmt.Fprintf(b, "| %s | %d | %.0f %% | %.0f %% | %.0f %% | %s |\n",
			what.name, len(what.all), 100*median, 100*nine, 100*worst.by, worst.name)
	}
}
