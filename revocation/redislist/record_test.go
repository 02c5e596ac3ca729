package redislist

import (
	"testing"
	"time"

	"github.com/carnet-go/carnet/internal/markset"
)

// What lies in Redis may come from anybody who can write there.
func FuzzItems(f *testing.F) {
	e := markset.NewEntry(markset.Subject, "alice", "s", time.Now(), time.Now().Add(time.Hour))
	s := markset.NewEntry(markset.Session, "s", "", time.Time{}, time.Now().Add(time.Hour))
	for _, all := range [][]item{
		{{Entry: e}}, {{Entry: s}, {Entry: e, undo: true}},
		{{Entry: s, note: &note{"s", "", "laptop stolen", "carol"}}, {Entry: s}},
	} {
		for _, b := range bodies(all) {
			f.Add(string(b.([]byte)))
		}
	}
	f.Add("\xf0\x00\x00")
	f.Fuzz(func(t *testing.T, body string) {
		var all []item
		n, err := items(body, func(i item) { all = append(all, i) })
		if err != nil {
			return
		}
		var b []byte
		for _, i := range all {
			b = i.append(b)
		}
		if n != len(all) || string(b) != body {
			t.Errorf("%q is written as %q", body, b)
		}
	})
}
