package keys_test

import (
	"errors"
	"path/filepath"
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
