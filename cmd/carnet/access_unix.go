//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/carnet-go/carnet/keys/keystore"
)

// replaceable finds out, without trying, whether the file at path could be
// replaced: that takes its directory and its lock file.
func replaceable(path string) error {
	if err := keystore.File(path).Replaceable(); err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir, lock := filepath.Dir(path), path+".lock"
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: dir, Err: err}
	}
	if err := unix.Access(lock, unix.R_OK|unix.W_OK); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "open", Path: lock, Err: err}
	}
	return nil
}

// owned reports whether the file belongs to who runs the program.
func owned(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
