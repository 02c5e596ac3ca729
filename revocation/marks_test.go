package revocation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carnet-go/carnet/revocation"
)

func TestMemoryAllowsAgain(t *testing.T) {
	l := new(revocation.Memory)
	c, other := login("s", "alice", time.Now().Add(-time.Hour)), login("t", "bob", time.Now().Add(-time.Hour))
	revoke(t, l, revocation.Subject("alice", 0), revocation.Subject("bob", 0), revocation.Session(c))
	for _, value := range []string{"alice", "nobody", "alice"} {
		if err := l.Allow(t.Context(), revocation.Mark{Axis: "subject", Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	if !revoked(t, l, c) {
		t.Error("the mark of the session is gone with that of the subject")
	}
	if err := l.Allow(t.Context(), revocation.Mark{Axis: "session", Value: "s"}); err != nil || revoked(t, l, c) {
		t.Errorf("still revoked: %v", err)
	}
	if err := l.Allow(t.Context()); err != nil || !revoked(t, l, other) || l.Len() != 1 {
		t.Errorf("another subject was allowed too: %d marks", l.Len())
	}
	if err := l.Allow(t.Context(), revocation.Session(c), revocation.Mark{Axis: "planet"}); err == nil {
		t.Error("there is no such axis")
	}
	revoke(t, l, revocation.Session(c))
	if !revoked(t, l, c) {
		t.Error("it can't be revoked again")
	}
}

func TestMemoryGivesItsMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(revocation.Memory)
		for i := range 100 {
			revoke(t, l, session(i, time.Duration(i+1)*time.Second))
		}
		revoke(t, l, revocation.Subject("alice", 0))
		time.Sleep(50 * time.Second)
		var got []string
		for m := range l.Marks() {
			got = append(got, m.Value)
			if err := l.Allow(t.Context(), m); err != nil { // the loop may use the list
				t.Fatal(err)
			}
		}
		want := []string{"alice"}
		for i := 50; i < 100; i++ {
			want = append(want, fmt.Sprint("session ", i))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
		for m := range l.Marks() {
			t.Errorf("%v is left", m)
		}
	})
}

// A mark from before the clock was set back still covers what it did.
func TestMemoryRestoresMarksThatLieAhead(t *testing.T) {
	l, at := new(revocation.Memory), time.Now().Add(24*time.Hour)
	m := revocation.Mark{Axis: "subject", Value: "alice", At: at, Until: at.Add(time.Hour)}
	if err := l.Restore(m, revocation.Mark{Axis: "key", Value: "k", Until: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if !revoked(t, l, login("s", "alice", at.Add(-time.Second))) || l.Len() != 1 {
		t.Error("it is not what it was")
	}
	for _, bad := range []revocation.Mark{{}, {Axis: "subject", Value: "mallory\n", Until: at}, {Axis: "subject", Value: "mallory"}} {
		if err := l.Restore(m, bad); err == nil || strings.Contains(err.Error(), "mallory") {
			t.Errorf("a bad mark: %v", err)
		}
	}
}
