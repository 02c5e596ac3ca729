package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
)

// madeUp returns a report in which every row that make bench measures has a cost
// of its own, as many microseconds as its place in the list.
func madeUp(t *testing.T) *report {
	t.Helper()
	rdb, stop, err := startRedis()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	r := &report{machine: "a machine"}
	for _, w := range works() {
		recorder, loopback, stop := httpRows(w, rdb)
		stop()
		r.order = append(append(append(r.order, tokenRows(w)...), recorder...), loopback...)
	}
	for i, row := range r.order {
		cost := float64(10+i) * 1000
		row.cpu, row.wall, row.allocs = []float64{cost}, []float64{cost + 500_000}, float64(i)
	}
	one := []curve{{"hot", []point{{1, 1}, {10, 2}}}}
	r.runs, r.sessions, r.keys, r.marks = []result{index(r.order), index(r.order)}, one, one, one
	return r
}

func TestThePageShowsEveryRow(t *testing.T) {
	r := madeUp(t)
	page := r.page()
	if strings.Contains(page, "## Other rows") {
		t.Error("rows without a place in the tables:", page[strings.Index(page, "## Other rows"):])
	}
	for _, row := range r.order {
		if !regexp.MustCompile(`\| ` + duration(row.low()) + ` [(|]`).MatchString(page) {
			t.Errorf("%s, %s: %s is not on the page", row.group, row.name, duration(row.low()))
		}
		if allocs := fmt.Sprintf("| %g (0)", row.allocs); !strings.Contains(page, allocs) {
			t.Errorf("%s, %s: its allocations are not on the page", row.group, row.name)
		}
	}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| **carnet") && strings.Count(line, "|") > 11 {
			t.Errorf("a table that is too wide to read: %q", line)
		}
		if len(line) > 1 && strings.HasPrefix(line, "| ") && !strings.HasSuffix(line, "|\n") {
			t.Errorf("a line that does not end: %q", line)
		}
	}
}

func TestARowThatNoTableKnowsIsShownAllTheSame(t *testing.T) {
	r := madeUp(t)
	r.order = append(r.order, &row{group: "issue small", name: "a new peer", cpu: []float64{7777}, wall: []float64{7777}})
	if page := r.page(); !regexp.MustCompile(`(?s)## Other rows.*\| a new peer \| 7.8 µs`).MatchString(page) {
		t.Error("it is not on the page")
	}
}

func TestABoundIsMetInBothRunsOrMarked(t *testing.T) {
	r := madeUp(t)
	line := func(bare, handler float64) (string, string) {
		second := result{}
		for key, row := range r.runs[0] {
			same := *row
			second[key] = &same
		}
		r.runs[0].row(recorderGroup+" small", bareCookieSite).cpu = []float64{1000}
		r.runs[0].row(recorderGroup+" small", carnetHotSite).cpu = []float64{1500}
		second.row(recorderGroup+" small", bareCookieSite).cpu = []float64{bare}
		second.row(recorderGroup+" small", carnetHotSite).cpu = []float64{handler}
		r.runs[1] = second
		page := r.page()
		row := regexp.MustCompile(`(?m)^\| ` + chiRatio + ` \|.*$`).FindString(page)
		return row, regexp.MustCompile(`(?m)^- \*\*` + chiRatio + `\*\*: .*$`).FindString(page)
	}
	if row, why := line(1000, 2000); row != "| "+chiRatio+" | ≤ 2 | 1.5 | 2 | yes |" || why != "" {
		t.Errorf("met: %q, %q", row, why)
	}
	if row, why := line(1000, 2100); row != "| "+chiRatio+" | ≤ 2 | 1.5 | 2.1 | **no** |" || why == "" {
		t.Errorf("missed in the second run: %q, %q", row, why)
	}
}

func TestNothingToMeasureIsAnError(t *testing.T) {
	for _, tt := range []struct {
		slices     int
		only, want string
		rest       []string
	}{
		{1, "no such row", "no row matches", nil},
		{0, "hot small", "at least one slice", nil},
		{1, "", "no such file", nil},
		{1, "hot small", `"chi" belongs to no flag`, []string{"chi"}},
	} {
		if err := (plan{slices: tt.slices}).main(tt.only, false, "no/such/directory", tt.rest...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q in %d slices: %v", tt.only, tt.slices, err)
		}
	}
}

func TestAgreement(t *testing.T) {
	run := func(costs ...float64) result {
		var rows []*row
		for i, c := range costs {
			rows = append(rows, &row{group: "verify small", name: fmt.Sprint("peer ", i), cpu: []float64{c}})
		}
		rows = append(rows, &row{group: "loopback small", name: "a site", cpu: []float64{1}})
		return index(rows)
	}
	x := run(100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100)
	y := run(100, 101, 98, 103, 104, 105, 106, 107, 108, 150, 50)
	median, nine, worst := summary(spreads(x, y, (*row).low, verifyGroup))
	near := func(got, want float64) bool { return math.Abs(got-want) < 1e-9 }
	if !near(median, 0.05) || !near(nine, 0.5) || !near(worst.by, 1) || worst.name != "verify small, peer 10" {
		t.Errorf("median %g, nine of ten %g, worst %v", median, nine, worst)
	}
	if apart(0, 0) != 0 {
		t.Error("nothing differs from nothing")
	}
}

func TestLowIsThe20thPercentile(t *testing.T) {
	r := &row{}
	for i := range 11 {
		r.cpu = append(r.cpu, float64(100-i))
	}
	if r.low() != 92 {
		t.Error(r.low())
	}
}

func TestChartsAreXMLWithWords(t *testing.T) {
	r := madeUp(t)
	for _, svg := range []string{r.requestChart(), lineChart("a < b", "x & y", r.sessions)} {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(svg, "<title>") || !strings.Contains(svg, `role="img"`) {
			t.Error("no title for those who do not see it")
		}
	}
}

func TestRowsSurviveTheWayToAnotherProcess(t *testing.T) {
	var text strings.Builder
	was := &row{group: "hot small", name: "x", cpu: []float64{1, 2}, wall: []float64{3, 4}, allocs: 0.5, bytes: 6}
	if err := writeRows(&text, []*row{was}); err != nil {
		t.Fatal(err)
	}
	rows, err := readRows([]byte(text.String()))
	if err != nil || len(rows) != 1 || fmt.Sprint(rows[0]) != fmt.Sprint(was) {
		t.Error(rows, err)
	}
}

func TestAProfileIsDivided(t *testing.T) {
	table := `      flat  flat%   sum%        cum   cum%
     0.50s 50.00% 50.00%      0.50s 50.00%  runtime.mallocgcSmallScanNoHeader
     0.20s 20.00% 70.00%      0.20s 20.00%  internal/runtime/maps.(*Map).getWithoutKeySmallFastStr
     0.20s 20.00% 90.00%      0.20s 20.00%  runtime.memmove
     0.10s 10.00%   100%      0.20s 20.00%  github.com/carnet-go/carnet/token.Verify
`
	got := divide([]byte(table))
	for part, want := range map[string]float64{"allocation and garbage collection": 50, "maps, locks, atomics": 20, "comparison and copies": 20, "carnet": 10} {
		if got[part] != want {
			t.Errorf("%s: %g", part, got[part])
		}
	}
}
