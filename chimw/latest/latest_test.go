package latest_test

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

	"github.com/carnet-go/carnet/chimw/latest"
	"github.com/carnet-go/carnet/chimw/latest/latesttest"
)

func TestMemory(t *testing.T) {
	latesttest.TestStore(t, func(*testing.T) latest.Store { return new(latest.Memory) })
}

func TestMemoryForgetsAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &latest.Memory{Max: 2000}
		until := time.Now().Add(time.Hour)
		for i := range 2000 {
			if ok, err := m.Advance(t.Context(), strconv.Itoa(i), 5, until); !ok || err != nil {
				t.Fatalf("session %d: %v, %v", i, ok, err)
			}
		}
		if ok, err := m.Advance(t.Context(), "one more", 1, until); ok || !errors.Is(err, latest.ErrFull) {
			t.Errorf("one too many: %v, %v", ok, err)
		}
		if ok, err := m.Advance(t.Context(), "7", 4, until); ok || err != nil {
			t.Errorf("an older one, when full: %v, %v", ok, err)
		}
		time.Sleep(time.Hour - 1)
		if _, err := m.Advance(t.Context(), "one more", 1, until); !errors.Is(err, latest.ErrFull) {
			t.Errorf("just before they end: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if ok, err := m.Advance(t.Context(), "one more", 1, until.Add(time.Hour)); !ok || err != nil {
			t.Errorf("when they have ended: %v, %v", ok, err)
		}
	})
}

// The id of a session may be a part of the text of a whole token.
func TestMemoryKeepsNoWholeToken(t *testing.T) {
	text := []byte(strings.Repeat("x", 64<<10))
	held := weak.Make(&text[0])
	m := new(latest.Memory)
	session := unsafe.String(&text[0], 22)
	until := time.Now().Add(time.Hour)
	for range 2 {
		if ok, err := m.Advance(t.Context(), session, 1, until); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	session, text = "", nil
	runtime.GC()
	if held.Value() != nil {
		t.Error("the text is still there")
	}
	runtime.KeepAlive(m)
}
