package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carnet-go/carnet/keys"
)

// parts are what a profile is divided into, by the beginning of a function's
// name. The first that fits counts.
var parts = []struct {
	name   string
	begins []string
}{
	{"Ed25519 (standard library)", []string{"crypto/internal/fips140/edwards25519", "crypto/internal/fips140/ed25519", "crypto/ed25519", "crypto/internal/fips140/sha512", "crypto/internal/fips140/bigmod"}},
	{"AES-GCM, random numbers", []string{"crypto/internal/fips140/aes", "crypto/internal/fips140/drbg", "crypto/"}},
	{"base64", []string{"encoding/base64", "encoding/binary"}},
	{"JSON", []string{"github.com/go-json-experiment", "encoding/json", "strconv", "reflect", "unicode", "github.com/carnet-go/carnet/internal/strictjson"}},
	{"carnet", []string{"github.com/carnet-go"}},
	{"net/http, chi", []string{"net/", "github.com/go-chi", "context"}},
	{"clock", []string{"time.", "runtime.nanotime", "runtime.walltime", "runtime.vdso"}},
	{"maps, locks, atomics", []string{"internal/runtime/maps", "internal/runtime/atomic", "runtime.map", "runtime.lock", "runtime.unlock",
		"runtime.strhash", "runtime.memhash", "aeshash", "runtime.aeshash", "runtime.interhash", "sync", "internal/sync", "hash/maphash"}},
	{"comparison and copies", []string{"memeq", "cmpbody", "indexbyte", "runtime.mem", "runtime.cmp", "runtime.duff", "runtime.typedmemmove",
		"runtime.efaceeq", "runtime.strequal", "internal/bytealg", "bytes", "strings", "slices"}},
	{"allocation and garbage collection", []string{"runtime", "internal/", "gcWriteBarrier", "gogo", "_"}},
}

// profileAll profiles the operations that matter to a request.
func (r *report) profileAll() error {
	w := works()[0]
	ops := tokenRows(w)
	hot := carnetSite[user](carnetHotSite, keys.JWT, w.data, cacheSize, userName)
	all := index(append(ops, hot.inProcess(w)))
	for _, p := range []struct{ name, row string }{
		{"issue", issueGroup + " small/" + ours},
		{"verify cold", verifyGroup + " small/" + ours},
		{"verify hot, data without slices", hotGroup + " small/" + hotPlain},
		{"verify hot", hotGroup + " small/" + hotCopy},
		{"chi, hot", recorderGroup + " small/" + carnetHotSite},
	} {
		parts, err := profile(all[p.row].op)
		if err != nil {
			return err
		}
		r.profiles = append(r.profiles, profiled{p.name, parts})
	}
	return nil
}

// profile runs an operation for a while and returns where its time went, in per
// cent, by part.
func profile(op func()) (map[string]float64, error) {
	dir, err := os.MkdirTemp("", "bench-profile")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "cpu")
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	for start := processor(); processor()-start < 2*time.Second; {
		for range 100 {
			op()
		}
	}
	pprof.StopCPUProfile()
	f.Close()
	out, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount=100000", "-nodefraction=0", file).Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof: %w", err)
	}
	return divide(out), nil
}

// divide adds up the flat times of a table of pprof's.
func divide(table []byte) map[string]float64 {
	sums := map[string]float64{}
	for line := range bytes.Lines(table) {
		fields := strings.Fields(string(line))
		if len(fields) < 6 || !strings.HasSuffix(fields[1], "%") {
			continue
		}
		percent, err := strconv.ParseFloat(strings.TrimSuffix(fields[1], "%"), 64)
		if err != nil {
			continue
		}
		sums[partOf(fields[5])] += percent
	}
	return sums
}

func partOf(function string) string {
	for _, p := range parts {
		if slices.ContainsFunc(p.begins, func(b string) bool { return strings.HasPrefix(function, b) }) {
			return p.name
		}
	}
	return "other"
}
