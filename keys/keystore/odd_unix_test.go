//go:build unix

package keystore_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/carnet-go/carnet/keys/keystore"
)

func TestAPipeIsNoRing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keystore.File(path).Load(t.Context()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}
