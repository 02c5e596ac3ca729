package keys_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// counting counts what a Verifier has its ring open.
type counting struct {
	ring interface {
		OpenOnce(tok string, b token.Binding, by any, believe func(token.Claims) (any, int, error)) (any, error)
	}
	token.Opener
	believed int
}

func (c *counting) OpenOnce(tok string, b token.Binding, by any, believe func(token.Claims) (any, int, error)) (any, error) {
	return c.ring.OpenOnce(tok, b, by, func(claims token.Claims) (any, int, error) {
		c.believed++
		return believe(claims)
	})
}

var cacheConfig = token.Config{Issuer: "example.com", Audience: "web"}

func newFileRing(t *testing.T) (path string, ring *keys.Ring, tok string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ring.json")
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err == nil {
		err = keys.Source{Path: path, Plain: true}.Create(t.Context(), set)
	}
	if err == nil {
		ring, err = keys.Open(path)
	}
	if err == nil {
		tok, _, err = token.NewIssuer[string](ring, cacheConfig).Issue("alice", "data")
	}
	if err != nil {
		t.Fatal(err)
	}
	return path, ring, tok
}

func TestARingRemembersTokens(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*keys.Ring)
		opened int
	}{
		"as it is":         {func(*keys.Ring) {}, 1},
		"a small cache":    {func(r *keys.Ring) { r.SetCache(100_000) }, 1},
		"by digest":        {func(r *keys.Ring) { r.CacheDigests() }, 1},
		"off":              {func(r *keys.Ring) { r.SetCache(0) }, 3},
		"off and on again": {func(r *keys.Ring) { r.SetCache(0); r.SetCache(1 << 20) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, ring, tok := newFileRing(t)
			tt.change(ring)
			c := &counting{ring: ring, Opener: ring}
			v := token.NewVerifier[string](c, cacheConfig)
			for range 3 {
				if _, err := v.Verify(tok); err != nil {
					t.Fatal(err)
				}
			}
			if c.believed != tt.opened {
				t.Errorf("opened %d times, want %d", c.believed, tt.opened)
			}
		})
	}
}

// A key that is gone takes its tokens out of the cache.
func TestAReloadForgetsTokens(t *testing.T) {
	path, ring, tok := newFileRing(t)
	v := token.NewVerifier[string](ring, cacheConfig)
	for range 2 {
		if _, err := v.Verify(tok); err != nil {
			t.Fatal(err)
		}
	}
	_, err := keys.Source{Path: path, Plain: true}.Edit(t.Context(), func(s *keys.Set) (*keys.Set, error) {
		return s.Revoke(s.Keys()[0].ID)
	})
	if err == nil {
		err = ring.Reload()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(tok); !errors.Is(err, keys.ErrRevokedKey) {
		t.Errorf("after the revocation of its key: %v", err)
	}
}

func TestAVerifyRingRemembersTokens(t *testing.T) {
	path, _, tok := newFileRing(t)
	ring, err := keys.OpenVerifyOnly(export(t, path))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(){func() {}, func() { ring.SetCache(1 << 20) }, ring.CacheDigests} {
		change()
		c := &counting{ring: ring, Opener: ring}
		v := token.NewVerifier[string](c, cacheConfig)
		for range 3 {
			if _, err := v.Verify(tok); err != nil {
				t.Fatal(err)
			}
		}
		if c.believed != 1 {
			t.Errorf("opened %d times", c.believed)
		}
	}
}

func TestTheCacheOfARingThatHasNothing(t *testing.T) {
	ring := new(keys.Ring)
	ring.SetCache(1 << 20)
	ring.CacheDigests()
	v := token.NewVerifier[string](ring, cacheConfig)
	if _, err := v.Verify("v4.local.x"); err == nil || errors.Is(err, token.ErrInvalid) {
		t.Errorf("an empty ring says %v", err)
	}
}

// How many sessions docs/cache.md says that 32 MiB have room for, here of a part of it.
func TestSizeInTheCache(t *testing.T) {
	page, err := os.ReadFile("../docs/cache.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ([\d,]+) \| [\d.]+ kB \| ([\d,]+) \| ([\d,]+) \|$`).FindAllStringSubmatch(string(page), -1)
	if len(rows) == 0 {
		t.Fatal("no table")
	}
	for _, row := range rows {
		var n [3]int
		for i := range n {
			if n[i], err = strconv.Atoi(strings.ReplaceAll(row[1+i], ",", "")); err != nil {
				t.Fatal(err)
			}
		}
		for i, digest := range []bool{false, true} {
			const part = 128
			if got := part * fitting(t, n[0], 32<<20/part, digest); got < n[1+i]*8/10 || got > n[1+i]*12/10 {
				t.Errorf("%d bytes of data, digest=%v: room for %d, the page says %d", n[0], digest, got, n[1+i])
			}
		}
	}
}

// fitting returns how many sessions a cache holds once it was offered more.
func fitting(t *testing.T, data, max int, digest bool) int {
	t.Helper()
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	ring.SetCache(max)
	if digest {
		ring.CacheDigests()
	}
	c := &counting{ring: ring, Opener: ring}
	i, v := token.NewIssuer[string](ring, cacheConfig), token.NewVerifier[string](c, cacheConfig)
	toks := make([]string, 2*max/(1000+data))
	verifyAll := func() {
		for _, tok := range toks {
			if _, err := v.Verify(tok); err != nil {
				t.Fatal(err)
			}
		}
	}
	for k := range toks {
		if toks[k], _, err = i.Issue("alice", strings.Repeat("x", data)); err != nil {
			t.Fatal(err)
		}
	}
	verifyAll()
	c.believed = 0
	verifyAll()
	return len(toks) - c.believed
}
