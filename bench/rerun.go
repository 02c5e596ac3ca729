package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// figures are a row on its way from one process to another.
type figures struct {
	Group, Name   string
	CPU, Wall     []float64
	Allocs, Bytes float64
}

func writeRows(w io.Writer, rows []*row) error {
	all := []figures{}
	for _, r := range rows {
		all = append(all, figures{r.group, r.name, r.cpu, r.wall, r.allocs, r.bytes})
	}
	return json.NewEncoder(w).Encode(all)
}

func readRows(text []byte) (rows []*row, err error) {
	var all []figures
	err = json.Unmarshal(text, &all)
	for _, f := range all {
		rows = append(rows, &row{group: f.Group, name: f.Name, cpu: f.CPU, wall: f.Wall, allocs: f.Allocs, bytes: f.Bytes})
	}
	return rows, err
}

// inProcessOfItsOwn measures all rows in a new process. Two runs in one would
// share the layout of its memory and the seeds of its maps, and agree too well.
func (p plan) inProcessOfItsOwn() ([]*row, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-rows", "-slices", strconv.Itoa(p.slices))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run the rows: %w", err)
	}
	return readRows(out)
}
