package keys_test

import (
	"encoding/base64"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/internal/formattest"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

func eachFormat(t *testing.T, test func(t *testing.T, ring *keys.Ring)) {
	formattest.Each(t, func(t *testing.T, f keys.Format) { test(t, ringOf(t, newSet(t, f))) })
}

func TestAnyChangedCharacterIsRefused(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		tok := seal(t, ring)
		for i := range tok {
			for _, other := range []byte("Aa0-_.=\n\x00\xff" + tok[:8]) {
				if altered := tok[:i] + string([]byte{other}) + tok[i+1:]; altered != tok {
					if _, err := ring.Open(altered, session); !errors.Is(err, token.ErrInvalid) {
						t.Fatalf("%q at %d: %v", other, i, err)
					}
				}
			}
		}
	})
}

func TestKeysAreNotInterchangeable(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		active, next := in(t, ring.Set(), "active"), in(t, ring.Set(), "pre-published")
		rotated := ringOf(t, must(t)(ring.Set().Rotate("", true)))
		_, err := rotated.Open(relabel(t, seal(t, ring), active.ID, next.ID), session)
		if err != token.ErrInvalid {
			t.Errorf("a token under the id of another key: %v", err)
		}
		_, err = ring.Open(relabel(t, seal(t, ring), active.ID, flip(active.ID)), session)
		if !errors.Is(err, keys.ErrUnknownKey) {
			t.Errorf("a token under an invented id: %v", err)
		}
	})
}

// relabel writes another key id into the part of a token that names its key.
func relabel(t *testing.T, tok, from, to string) string {
	t.Helper()
	b64 := base64.RawURLEncoding
	parts := strings.Split(tok, ".")
	for _, i := range []int{0, len(parts) - 1} {
		if text, err := b64.DecodeString(parts[i]); err == nil && strings.Contains(string(text), from) {
			parts[i] = b64.EncodeToString([]byte(strings.Replace(string(text), from, to, 1)))
			return strings.Join(parts, ".")
		}
	}
	t.Fatal("the token does not name its key")
	return ""
}

// flip changes one character in the middle of an id.
func flip(id string) string {
	i, c := len(id)-4, byte('A')
	if id[i] == c {
		c = 'B'
	}
	return id[:i] + string([]byte{c}) + id[i+1:]
}

func TestGarbageCostsNothing(t *testing.T) {
	eachFormat(t, func(t *testing.T, ring *keys.Ring) {
		tok := seal(t, ring)
		const mib = 1 << 20
		for name, garbage := range map[string]string{
			"dots":               strings.Repeat(".", mib),
			"letters":            strings.Repeat("a", mib),
			"base64":             base64.RawURLEncoding.EncodeToString(make([]byte, mib*3/4)),
			"a header and dots":  tok[:100] + strings.Repeat(".", mib),
			"a token and base64": tok + strings.Repeat("A", mib),
			"base64 and a token": strings.Repeat("A", mib) + tok,
			"just too long":      tok + strings.Repeat("A", token.MaxSize+1-len(tok)),
		} {
			if _, err := ring.Open(garbage, session); !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
			if n := testing.AllocsPerRun(100, func() { ring.Open(garbage, session) }); n > 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
		for name, short := range map[string]string{"nothing": "", "dots": strings.Repeat(".", 4000), "letters": strings.Repeat("a", 4000)} {
			if n := testing.AllocsPerRun(100, func() { ring.Open(short, session) }); n > 0 {
				t.Errorf("4,000 bytes, %s: %v allocations", name, n)
			}
		}
	})
}

func TestARingRefusesTokensThatOutliveItsPolicy(t *testing.T) {
	ring := ringOf(t, newSet(t, keys.JWT))
	c := claims()
	c.ExpiresAt = c.IssuedAt.Add(24*time.Hour + time.Second)
	if tok, err := ring.Seal(c); err == nil || errors.Is(err, token.ErrInvalid) {
		t.Errorf("sealed %d bytes: %v", len(tok), err)
	}
}

// Readers see one generation or the next, and nothing in between.
func TestReloadUnderReaders(t *testing.T) {
	path := newFile(t, keys.JWT)
	ring, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	tok := seal(t, ring)
	done := make(chan struct{})
	readers := make(chan error, 4)
	for range cap(readers) {
		go func() {
			for {
				select {
				case <-done:
					readers <- nil
					return
				default:
				}
				fresh, err := ring.Seal(claims())
				if err == nil {
					_, err = ring.Open(fresh, session)
				}
				if err == nil {
					_, err = ring.Open(tok, session)
				}
				if err != nil {
					readers <- err
					return
				}
				runtime.Gosched()
			}
		}()
	}
	for range 20 {
		if _, err := edit(t, path, rotate); err != nil {
			t.Error(err)
		}
		if err := ring.Reload(); err != nil {
			t.Error(err)
		}
	}
	close(done)
	for range cap(readers) {
		if err := <-readers; err != nil {
			t.Error(err)
		}
	}
}
