package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine says what the figures are of.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name"); ok {
			rest, _, _ = strings.Cut(rest, "\n")
			model = strings.Trim(rest, "\t :")
		}
	}
	return fmt.Sprintf("%s, %s/%s, %d cores of %s, load %s", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), model, load())
}

// load is how many programs wanted a processor in the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
