package refresh_test

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/carnet-go/carnet/chimw/refresh"
	"github.com/carnet-go/carnet/chimw/refresh/refreshtest"
	"github.com/carnet-go/carnet/token"
)

func TestMemory(t *testing.T) {
	refreshtest.TestStore(t, func(*testing.T) refresh.Store { return new(refresh.Memory) })
}

// The edges of the grace, to the nanosecond.
func TestGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = time.Minute
		m, until := new(refresh.Memory), time.Now().Add(time.Hour)
		advance := func(from, want int64, wantErr error) {
			t.Helper()
			if got, err := m.Advance(t.Context(), "a", from, grace, until); got != want || !errors.Is(err, wantErr) {
				t.Errorf("from %d: %d, %v, want %d, %v", from, got, err, want, wantErr)
			}
		}
		if err := m.Put(t.Context(), "a", 0, until); err != nil {
			t.Fatal(err)
		}
		advance(0, 1, nil)
		time.Sleep(grace - time.Nanosecond)
		advance(0, 1, nil)
		advance(1, 1, nil)
		time.Sleep(time.Nanosecond)
		advance(1, 2, nil)
		time.Sleep(grace)
		advance(1, 0, refresh.ErrReused)
		advance(2, 0, refresh.ErrReused)
		if !errors.Is(refresh.ErrReused, token.ErrInvalid) || errors.Is(refresh.ErrUnknown, token.ErrInvalid) {
			t.Error("reuse is of the family, and not knowing is not")
		}
	})
}

func TestMemoryForgetsAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &refresh.Memory{Max: 2000}
		until := time.Now().Add(time.Hour)
		for i := range 2000 {
			if err := m.Put(t.Context(), strconv.Itoa(i), 0, until); err != nil {
				t.Fatalf("session %d: %v", i, err)
			}
		}
		if err := m.Put(t.Context(), "one more", 0, until); !errors.Is(err, refresh.ErrFull) || errors.Is(err, token.ErrInvalid) {
			t.Errorf("one too many: %v", err)
		}
		if g, err := m.Advance(t.Context(), "7", 0, time.Minute, until); g != 1 || err != nil {
			t.Errorf("one that is there, when full: %d, %v", g, err)
		}
		time.Sleep(time.Hour - 1)
		if err := m.Put(t.Context(), "one more", 0, until); !errors.Is(err, refresh.ErrFull) {
			t.Errorf("just before they end: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if err := m.Put(t.Context(), "one more", 0, until.Add(time.Hour)); err != nil {
			t.Errorf("when they have ended: %v", err)
		}
		if _, err := m.Advance(t.Context(), "7", 1, time.Minute, until); !errors.Is(err, refresh.ErrUnknown) {
			t.Errorf("one that has ended: %v", err)
		}
	})
}

// The id of a session may be a part of the text of a whole token.
func TestMemoryKeepsNoWholeToken(t *testing.T) {
	text := []byte(strings.Repeat("x", 64<<10))
	held := weak.Make(&text[0])
	m := new(refresh.Memory)
	session := unsafe.String(&text[0], 22)
	until := time.Now().Add(time.Hour)
	for range 2 {
		err := m.Put(t.Context(), session, 0, until)
		if _, err2 := m.Advance(t.Context(), session, 0, time.Minute, until); err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
	}
	session, text = "", nil
	runtime.GC()
	if held.Value() != nil {
		t.Error("the text is still there")
	}
	runtime.KeepAlive(m)
}
