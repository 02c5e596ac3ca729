package filelist_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/revocation/filelist"
)

// written returns a denylist of four calls, and where each of them begins.
func written(t testing.TB) (doc []byte, starts []int) {
	t.Helper()
	path := newPath(t)
	l := open(t, path)
	for i := range 4 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		starts = append(starts, int(info.Size()))
		revoke(t, l, fmt.Sprint("session-", i))
	}
	closed(t, l)
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return doc, starts
}

// holds opens a file of those bytes and returns how many of the calls it has.
func holds(t testing.TB, path string, doc []byte) (calls int, err error) {
	t.Helper()
	if err := os.WriteFile(path, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := filelist.Open(path, 0)
	if err != nil {
		return 0, err
	}
	defer closed(t, l)
	for calls < 4 && revoked(t, l, fmt.Sprint("session-", calls)) {
		calls++
	}
	if l.Len() != calls {
		t.Errorf("%d marks of %d calls", l.Len(), calls)
	}
	revoke(t, l, "after the repair")
	return calls, nil
}

// before returns how many calls are whole in the first n bytes.
func before(starts []int, end, n int) (calls int) {
	for i := range starts {
		next := end
		if i+1 < len(starts) {
			next = starts[i+1]
		}
		if next <= n {
			calls++
		}
	}
	return calls
}

// A write that was cut anywhere leaves what was there before it; so does one of
// which only zeros arrived.
func TestATornEndIsCutOff(t *testing.T) {
	doc, starts := written(t)
	path := newPath(t)
	for n := starts[0]; n <= len(doc); n++ {
		want := before(starts, len(doc), n)
		if got, err := holds(t, path, doc[:n]); got != want || err != nil {
			t.Errorf("%d bytes: %d calls, want %d: %v", n, got, want, err)
		}
		if l := open(t, path); !revoked(t, l, "after the repair") || l.Torn() != 0 {
			t.Errorf("%d bytes: what came after the repair is gone", n)
		} else {
			closed(t, l)
		}
	}
	for i, start := range starts {
		zeros := append(doc[:start:start], make([]byte, len(doc)-start)...)
		if got, err := holds(t, path, zeros); got != i || err != nil {
			t.Errorf("zeros from %d: %d calls, want %d: %v", start, got, i, err)
		}
	}
	if got, err := holds(t, path, append(doc[:starts[3]:starts[3]], doc[starts[3]:len(doc)-1]...)); got != 3 || err != nil {
		t.Errorf("without the last byte: %d calls: %v", got, err)
	}
}

// Damage before the end is an error that names the frame, and no call is lost
// without one.
func TestDamageIsAnError(t *testing.T) {
	doc, starts := written(t)
	path := newPath(t)
	for n := range doc {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := []byte(string(doc))
			bad[n] ^= flip
			got, err := holds(t, path, bad)
			frame := before(starts, len(doc), n)
			if n < starts[0] {
				frame = -1
			}
			switch last := frame == 3 && n >= starts[3]+12; {
			case last: // its body: it can't be told from a write that was cut
				if got != 3 || err != nil {
					t.Errorf("byte %d: %d calls: %v", n, got, err)
				}
			case frame < 0 && errors.Is(err, filelist.ErrDamaged) && strings.Contains(err.Error(), "at byte 0:"):
			case frame >= 0 && errors.Is(err, filelist.ErrDamaged) && strings.Contains(err.Error(), fmt.Sprintf("at byte %d:", starts[frame])):
			default:
				t.Errorf("byte %d of frame %d: %d calls: %v", n, frame, got, err)
			}
			if err != nil {
				if now, err := os.ReadFile(path); err != nil || string(now) != string(bad) {
					t.Fatalf("byte %d: the damaged file was changed", n)
				}
			}
		}
	}
	for name, bad := range map[string][]byte{
		"a frame is missing in part": append(doc[:starts[1]+5:starts[1]+5], doc[starts[2]:]...),
		"zeros in between":           append(append(doc[:starts[1]:starts[1]], make([]byte, 40)...), doc[starts[1]:]...),
	} {
		if _, err := holds(t, path, bad); !errors.Is(err, filelist.ErrDamaged) || !strings.Contains(err.Error(), fmt.Sprintf("at byte %d:", starts[1])) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any bytes are read or refused, and what was read can be written to.
func FuzzOpen(f *testing.F) {
	doc, starts := written(f)
	f.Add(doc)
	f.Add(doc[:starts[0]])
	f.Add(doc[:starts[3]+20])
	f.Add(append(doc[:starts[2]:starts[2]], make([]byte, 100)...))
	f.Add([]byte("carnet denylist 1\n\x00\x00\x00\x01"))
	f.Add([]byte{})
	path := filepath.Join(f.TempDir(), "denied.log")
	f.Fuzz(func(t *testing.T, doc []byte) {
		if err := os.WriteFile(path, doc, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := filelist.Read(path) // Open reads the same way, and waits for the disk
		if err != nil {
			if !errors.Is(err, filelist.ErrDamaged) {
				t.Error(err)
			}
			return
		}
		l, err := filelist.Open(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		if l.Len() != m.Len() {
			t.Errorf("Open has %d marks, Read %d", l.Len(), m.Len())
		}
		revoke(t, l, "one more")
		closed(t, l)
		if l, err = filelist.Open(path, 0); err != nil {
			t.Fatal(err)
		}
		if !revoked(t, l, "one more") {
			t.Error("the mark is gone")
		}
		closed(t, l)
	})
}
