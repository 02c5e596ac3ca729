package keystore_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/carnet-go/carnet/keys/keystest"
	"github.com/carnet-go/carnet/keys/keystore"
)

func TestFile(t *testing.T) {
	keystest.TestStore(t, func(t *testing.T) func() keystore.Store {
		path := filepath.Join(t.TempDir(), "ring.json")
		return func() keystore.Store { return keystore.File(path) }
	})
}

func TestMemory(t *testing.T) {
	keystest.TestStore(t, func(t *testing.T) func() keystore.Store {
		s := keystest.NewStore()
		return func() keystore.Store { return s }
	})
}

func newFile(t *testing.T) keystore.File {
	f := keystore.File(filepath.Join(t.TempDir(), "ring.json"))
	if err := f.Save(t.Context(), nil, []byte("one")); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLeftoversOfDeadWritersAreRemoved(t *testing.T) {
	f := newFile(t)
	left := string(f) + ".123.tmp"
	others := []string{filepath.Join(filepath.Dir(string(f)), "else.json.123.tmp"), string(f) + ".bak.123.tmp", string(f) + ".tmp"}
	for _, path := range append(others, left) {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Save(t.Context(), []byte("one"), []byte("two")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a dead writer left is still there: %v", err)
	}
	for _, path := range others {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("a file of somebody else: %v", err)
		}
	}
}

func TestSaveFollowsALink(t *testing.T) {
	f := newFile(t)
	link := keystore.File(filepath.Join(t.TempDir(), "link.json"))
	if err := os.Symlink(string(f), string(link)); err != nil {
		t.Fatal(err)
	}
	if err := link.Save(t.Context(), []byte("one"), []byte("two")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(string(link)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
	if doc, err := f.Load(t.Context()); err != nil || string(doc) != "two" {
		t.Errorf("the file has %q: %v", doc, err)
	}
}

// secret makes a volume as the kubelet does: the file is a link into "..data",
// which is a link that is swapped for each version.
type secret string

func (s secret) put(t *testing.T, version, doc string) {
	t.Helper()
	dir := filepath.Join(string(s), "..2026_11_25_"+version)
	for _, err := range []error{
		os.Mkdir(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "ring.json"), []byte(doc), 0o400),
		os.Symlink(filepath.Base(dir), filepath.Join(string(s), "..data_tmp")),
		os.Rename(filepath.Join(string(s), "..data_tmp"), filepath.Join(string(s), "..data")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("..data/ring.json", filepath.Join(string(s), "ring.json")); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
}

func TestMountedSecret(t *testing.T) {
	s := secret(t.TempDir())
	s.put(t, "1", "one")
	f := keystore.File(filepath.Join(string(s), "ring.json"))
	changed := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- f.Watch(ctx, func() {
			select {
			case changed <- struct{}{}:
			case <-ctx.Done():
			}
		})
	}()
	<-changed // it watches
	for _, version := range []string{"2", "3", "4"} {
		s.put(t, version, version)
		select {
		case <-changed:
		case <-time.After(30 * time.Second):
			t.Fatalf("swap to version %s was not noticed", version)
		}
		if doc, err := f.Load(ctx); err != nil || string(doc) != version {
			t.Errorf("loaded %q: %v", doc, err)
		}
	}
	cancel()
	<-ended
	err := f.Save(t.Context(), []byte("4"), []byte("5"))
	if err == nil || !strings.Contains(err.Error(), "mounted secret") {
		t.Errorf("editing a mounted secret: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(string(s), "*", "*.lock")); left != nil {
		t.Errorf("the refusal left %v", left)
	}
}

func TestSaveWaitsForTheLockAsLongAsItMay(t *testing.T) {
	f := newFile(t)
	unlock, err := lockedfile.MutexAt(string(f) + ".lock").Lock()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = f.Save(ctx, []byte("one"), []byte("two"))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), ".lock") {
		t.Errorf("got %v", err)
	}
	unlock()
	if err := f.Save(t.Context(), []byte("one"), []byte("two")); err != nil {
		t.Error(err)
	}
}

func TestTooLarge(t *testing.T) {
	f := newFile(t)
	if err := os.WriteFile(string(f), bytes.Repeat([]byte("x"), keystore.MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("got %v", err)
	}
}

func TestNobodyElseCanHoldTheLock(t *testing.T) {
	f := newFile(t)
	lock := string(f) + ".lock"
	if err := os.Chmod(lock, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(t.Context(), []byte("one"), []byte("two")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(lock); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the lock has mode %v: %v", info.Mode(), err)
	}
}

func TestWhoWaitsForTheLockIsTold(t *testing.T) {
	f := newFile(t)
	unlock, err := lockedfile.MutexAt(string(f) + ".lock").Lock()
	if err != nil {
		t.Fatal(err)
	}
	ctx := keystore.NoticeWait(t.Context(), func(what string) {
		if !strings.Contains(what, string(f)+".lock") {
			t.Errorf("it waits for %q", what)
		}
		unlock()
	})
	if err := f.Save(ctx, []byte("one"), []byte("two")); err != nil {
		t.Error(err)
	}
}
