package filelist_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/filelist"
	"github.com/carnet-go/carnet/revocation/revocationtest"
	"github.com/carnet-go/carnet/token"
)

func open(t testing.TB, path string) *filelist.List {
	t.Helper()
	l, err := filelist.Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, l) })
	return l
}

func closed(t testing.TB, l *filelist.List) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "denied.log") }

func TestKeepsThePromises(t *testing.T) {
	revocationtest.TestList(t, func(t *testing.T) revocation.List { return open(t, newPath(t)) }, synctest.Test)
}

func TestSurvivesTheFaults(t *testing.T) {
	revocationtest.TestFaults(t, faults(), synctest.Test)
}

// faults are those of a directory that comes and goes.
func faults() revocationtest.Faults {
	var dirs sync.Map // of each list
	openIn := func(t *testing.T, dir string, room int) revocation.List {
		l, err := filelist.Open(filepath.Join(dir, "denied.log"), room)
		if err != nil {
			t.Fatal(err)
		}
		dirs.Store(l, dir)
		t.Cleanup(func() { closed(t, l) })
		return l
	}
	dirOf := func(l revocation.List) string {
		dir, _ := dirs.Load(l)
		return dir.(string)
	}
	openSmall := func(t *testing.T, room int) revocation.List {
		dir := filepath.Join(t.TempDir(), "dir")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		return openIn(t, dir, room)
	}
	return revocationtest.Faults{
		Open:      func(t *testing.T) revocation.List { return openSmall(t, 0) },
		OpenSmall: openSmall,
		Restart: func(t *testing.T, l revocation.List) revocation.List {
			closed(t, l.(*filelist.List))
			return openIn(t, dirOf(l), 0)
		},
		Fail: func(t *testing.T, l revocation.List, on bool) {
			from, to := dirOf(l), dirOf(l)+".away"
			if !on {
				from, to = to, from
			}
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// claims of a session that began an hour ago.
func claims(id string) token.Claims {
	start := time.Now().Add(-time.Hour)
	return token.Claims{
		Binding:   token.Binding{Purpose: token.PurposeSession, Issuer: "example.com", Audience: "web"},
		SessionID: id, Subject: "alice", KeyID: "2026-a", StartedAt: start, EndsAt: start.Add(12 * time.Hour),
	}
}

func revoke(t testing.TB, l *filelist.List, ids ...string) {
	t.Helper()
	var marks []revocation.Mark
	for _, id := range ids {
		marks = append(marks, revocation.Session(claims(id)))
	}
	if err := l.Revoke(t.Context(), marks...); err != nil {
		t.Fatal(err)
	}
}

func revoked(t testing.TB, l revocation.Checker, id string) bool {
	t.Helper()
	err := l.Check(t.Context(), claims(id))
	if err != nil && !errors.Is(err, revocation.ErrRevoked) {
		t.Fatal(err)
	}
	return err != nil
}

// A restart brings each mark back as it was.
func TestRestart(t *testing.T) {
	path, now := newPath(t), time.Now()
	l := open(t, path)
	want := map[revocation.Mark]bool{}
	for _, m := range []revocation.Mark{
		{Axis: "session", Value: strings.Repeat("s", 255), Reason: strings.Repeat("r", 200), By: strings.Repeat("b", 200)},
		{Axis: "subject", Value: "zoë", At: now.Add(time.Minute), Except: strings.Repeat("e", 255)},
		{Axis: "subject", Value: "bob", At: time.Date(1812, 1, 2, 3, 4, 5, 6000, time.UTC), Until: time.Date(2200, 1, 2, 3, 4, 5, 6000, time.UTC)},
		{Axis: "audience", Value: "web", Reason: "moved"},
		{Axis: "key", Value: "2026-a", By: "carol"},
		{Axis: "everyone", Except: "one"},
	} {
		if m.Until.IsZero() {
			m.Until = now.Add(time.Hour).Truncate(time.Microsecond)
		}
		m, err := m.Normalize()
		if err != nil {
			t.Fatal(err)
		}
		want[m] = true
		if err := l.Revoke(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		closed(t, l)
		l = open(t, path)
		got := 0
		for m := range l.Marks() {
			if got++; !want[m] {
				t.Errorf("an other mark of %s than before", m.Axis)
			}
		}
		if got != len(want) || l.Torn() != 0 {
			t.Errorf("%d marks, want %d; %d bytes cut off", got, len(want), l.Torn())
		}
	}
}

func TestUntilIsRoundedUp(t *testing.T) {
	path := newPath(t)
	l := open(t, path)
	until := time.Now().Add(time.Hour).Truncate(time.Microsecond).Add(1)
	far := time.Date(292_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for value, until := range map[string]time.Time{"near": until, "far": far} {
		if err := l.Revoke(t.Context(), revocation.Mark{Axis: "session", Value: value, Until: until}); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, l)
	for m := range open(t, path).Marks() {
		if m.Value == "near" && m.Until.Before(until) || m.Value == "far" && m.Until.Year() < 9998 {
			t.Errorf("the %s one holds until %v", m.Value, m.Until)
		}
	}
}

func TestAllowSurvivesARestart(t *testing.T) {
	path := newPath(t)
	l := open(t, path)
	revoke(t, l, "one", "two", "three")
	session := func(id string) revocation.Mark { return revocation.Mark{Axis: "session", Value: id} }
	if err := l.Allow(t.Context(), session("one"), session("two"), session(strings.Repeat("never", 100))); err != nil {
		t.Fatal(err)
	}
	revoke(t, l, "two")
	if err := l.Allow(t.Context(), revocation.Mark{Axis: "planet"}); err == nil {
		t.Error("there is no such axis")
	}
	for range 2 {
		if revoked(t, l, "one") || !revoked(t, l, "two") || !revoked(t, l, "three") {
			t.Error("not what it was")
		}
		closed(t, l)
		l = open(t, path)
	}
}

func TestASecondListIsRefused(t *testing.T) {
	path := newPath(t)
	l := open(t, path)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link} {
		if _, err := filelist.Open(p, 0); !errors.Is(err, filelist.ErrInUse) || !strings.Contains(err.Error(), "Redis") {
			t.Errorf("got %v", err)
		}
	}
	revoke(t, l, "one")
	m, err := filelist.Read(path)
	if err != nil || m.Len() != 1 {
		t.Errorf("reading: %v", err)
	}
	closed(t, l)
	if l := open(t, link); !revoked(t, l, "one") {
		t.Error("the link leads elsewhere")
	}
}

func TestClose(t *testing.T) {
	l := open(t, newPath(t))
	revoke(t, l, "one")
	closed(t, l)
	closed(t, l)
	if !revoked(t, l, "one") {
		t.Error("a list that is closed forgets")
	}
	if err := l.Revoke(t.Context(), revocation.Session(claims("two"))); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	writable, other, empty := filepath.Join(dir, "writable"), filepath.Join(dir, "other"), filepath.Join(dir, "empty")
	closed(t, open(t, writable))
	for path, doc := range map[string]string{other: "carnet denylist 2\n", empty: ""} {
		if err := os.WriteFile(path, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(writable, 0o620); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"":                            "the path is empty",
		dir:                           "directory",
		writable:                      "others can write to it (mode 0620)",
		other:                         "damaged at byte 0",
		empty:                         "damaged at byte 0",
		filepath.Join(dir, "no", "x"): "no such file",
	} {
		if _, err := filelist.Open(path, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if got, err := os.ReadFile(other); err != nil || string(got) != "carnet denylist 2\n" {
		t.Errorf("a file that was refused is changed: %q", got)
	}
}

func TestAFullListIsFullAfterARestart(t *testing.T) {
	path := newPath(t)
	l, err := filelist.Open(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	revoke(t, l, "one", "two")
	if err := l.Revoke(t.Context(), revocation.Session(claims("three"))); !errors.Is(err, revocation.ErrFull) {
		t.Errorf("a third mark: %v", err)
	}
	closed(t, l)
	if _, err := filelist.Open(path, 1); !errors.Is(err, revocation.ErrFull) {
		t.Errorf("room for one: %v", err)
	}
	if l := open(t, path); !revoked(t, l, "one") || !revoked(t, l, "two") || revoked(t, l, "three") {
		t.Error("not what was acknowledged")
	}
}

// A thousand sessions, logged out over and over.
func TestTheFileIsBounded(t *testing.T) {
	path := newPath(t)
	l := open(t, path)
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprint("a session id of usual length ", i))
	}
	for range 60 {
		revoke(t, l, ids...)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 1<<20+100*1000 {
			t.Fatalf("%d bytes for %d marks", info.Size(), l.Len())
		}
	}
	for range 200 {
		revoke(t, l, ids[:20]...)
	}
	closed(t, l)
	if l = open(t, path); l.Len() != 1000 {
		t.Errorf("%d marks", l.Len())
	}
	for range 100 {
		if err := l.Allow(t.Context(), revocation.Mark{Axis: "session", Value: ids[0]}); err != nil {
			t.Fatal(err)
		}
	}
	if revoked(t, l, ids[0]) || !revoked(t, l, ids[1]) {
		t.Error("not what it was")
	}
}

// Whatever becomes of the name, what is acknowledged is there after a restart.
func TestAFileThatIsTakenAwayIsWrittenAnew(t *testing.T) {
	path := newPath(t)
	l := open(t, path)
	revoke(t, l, "one")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	revoke(t, l, "two")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("rotated"), 0o600); err != nil {
		t.Fatal(err)
	}
	revoke(t, l, "three")
	revoke(t, l, "four")
	closed(t, l)
	l = open(t, path)
	for _, id := range []string{"one", "two", "three", "four"} {
		if !revoked(t, l, id) {
			t.Errorf("session %s is good again", id)
		}
	}
}

// A disk that is full fails the call, and the next one finds the file in order.
func TestACallThatFailsIsNotAcknowledged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l := open(t, filepath.Join(dir, "denied.log"))
	revoke(t, l, "one")
	away := dir + ".away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if err := l.Revoke(t.Context(), revocation.Session(claims("two"))); err == nil || !strings.Contains(err.Error(), "write denylist") {
		t.Errorf("got %v", err)
	}
	if !revoked(t, l, "two") {
		t.Error("this process lets it in")
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	revoke(t, l, "three")
	closed(t, l)
	l = open(t, filepath.Join(dir, "denied.log"))
	for _, id := range []string{"one", "two", "three"} {
		if !revoked(t, l, id) {
			t.Errorf("session %s is good again", id)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	path := newPath(t)
	l := open(t, path)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 50 {
				id := fmt.Sprint(w, "-", i)
				revoke(t, l, id)
				if !revoked(t, l, id) {
					t.Errorf("session %s is good", id)
				}
			}
		})
	}
	wg.Wait()
	closed(t, l)
	l = open(t, path)
	for w := range 16 {
		for i := range 50 {
			if id := fmt.Sprint(w, "-", i); !revoked(t, l, id) {
				t.Errorf("session %s is good again", id)
			}
		}
	}
}

func TestPrintsNoValue(t *testing.T) {
	l := open(t, newPath(t))
	revoke(t, l, "session-1")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if out := fmt.Sprintf(verb, l); strings.Contains(out, "session-1") || !strings.Contains(out, "redacted") {
			t.Errorf("%s prints %q", verb, out)
		}
	}
}

func BenchmarkRevoke(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			l := open(b, newPath(b))
			b.SetParallelism(writers)
			i := make(chan int, 1)
			i <- 0
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := <-i
					i <- n + 1
					revoke(b, l, fmt.Sprint(n))
				}
			})
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	path := newPath(b)
	l := open(b, path)
	for i := range 1000 {
		var ids []string
		for k := range 1000 {
			ids = append(ids, fmt.Sprint("a session id of usual length ", i, k))
		}
		revoke(b, l, ids...)
	}
	for b.Loop() {
		closed(b, l)
		l = open(b, path)
	}
}
