package revocationtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/revocationtest"
	"github.com/carnet-go/carnet/token"
)

// A disk has what lists write, and can be full or broken.
type disk struct {
	mu     sync.Mutex
	marks  []revocation.Mark
	broken bool
}

// stored is a correct list on a disk, unless flaws are set.
type stored struct {
	naive
	disk *disk
	room int
	flaws
}

type flaws struct{ forgetful, early, evicts, invalid, half bool }

var (
	errBroken = errors.New("the disk is broken")
	errFull   = errors.New("the list is full")
)

func (l *stored) Revoke(ctx context.Context, marks ...revocation.Mark) error {
	ready, err := normalized(marks)
	if err != nil {
		return err
	}
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	switch {
	case l.disk.broken && l.invalid:
		return token.ErrInvalid
	case l.disk.broken && l.early:
		l.keep(ready...)
		return nil
	case l.disk.broken:
		return errBroken
	case l.room > 0 && len(l.disk.marks) >= l.room && l.Check(ctx, token.Claims{SessionID: marks[0].Value}) == nil:
		if !l.evicts {
			return errFull
		}
		l.disk.marks = l.disk.marks[1:]
		l.marks = l.marks[1:]
	}
	if l.half {
		for i := range ready {
			ready[i].Except = ""
		}
	}
	l.disk.marks = append(l.disk.marks, ready...)
	return l.naive.Revoke(ctx, marks...)
}

func (l *stored) Allow(ctx context.Context, marks ...revocation.Mark) error {
	on := naive{marks: l.disk.marks}
	if !l.half {
		on.Allow(ctx, marks...)
		l.disk.marks = on.marks
	}
	return l.naive.Allow(ctx, marks...)
}

func faults(of flaws) revocationtest.Faults {
	fresh := func(d *disk, room int) *stored {
		l := &stored{disk: d, room: room, flaws: of}
		if !l.forgetful {
			l.marks = append(l.marks, d.marks...)
		}
		return l
	}
	return revocationtest.Faults{
		Open:      func(*testing.T) revocation.List { return fresh(new(disk), 0) },
		OpenSmall: func(_ *testing.T, room int) revocation.List { return fresh(new(disk), room) },
		Restart:   func(_ *testing.T, l revocation.List) revocation.List { return fresh(l.(*stored).disk, 0) },
		Fail: func(_ *testing.T, l revocation.List, on bool) {
			d := l.(*stored).disk
			d.mu.Lock()
			defer d.mu.Unlock()
			d.broken = on
		},
	}
}

func TestACorrectListSurvivesTheFaults(t *testing.T) {
	revocationtest.TestFaults(t, faults(flaws{}), synctest.Test)
	revocationtest.TestFaults(t, revocationtest.Faults{Open: faults(flaws{}).Open}, nil)
}

// faulty are lists with one flaw each, and the promise that must notice it.
var faulty = map[string]struct {
	flaws   flaws
	promise string
}{
	"forgets at a restart":            {flaws{forgetful: true}, "a restart forgets no mark"},
	"forgets what many set":           {flaws{forgetful: true}, "a restart forgets nothing that many set"},
	"stores half a mark":              {flaws{half: true}, "a restart forgets no mark"},
	"brings back what was allowed":    {flaws{half: true}, "a restart brings nothing back"},
	"evicts":                          {flaws{evicts: true}, "a full list says so and forgets nothing"},
	"acknowledges what is not stored": {flaws{early: true}, "a write that fails is no acknowledgement"},
	"loses between failures":          {flaws{early: true}, "what is acknowledged between failures holds"},
	"blames the token":                {flaws{invalid: true}, "a write that fails is no acknowledgement"},
}

func TestFaultyListsFail(t *testing.T) {
	if os.Getenv(inside) != "" {
		for name, f := range faulty {
			t.Run(name, func(t *testing.T) { revocationtest.TestFaults(t, faults(f.flaws), synctest.Test) })
		}
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultyListsFail$")
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		t.Fatalf("the faulty lists: %v", err)
	}
	for name, f := range faulty {
		test := strings.ReplaceAll("TestFaultyListsFail/"+name+"/"+f.promise, " ", "_")
		if !strings.Contains(string(out), "--- FAIL: "+test+" (") {
			t.Errorf("a list that %s passes %q", name, f.promise)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
