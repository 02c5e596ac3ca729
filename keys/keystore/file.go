package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

var _ Store = File("")

// A File is the path of a document, which only its owner may read.
//
// It may be a file of a mounted Kubernetes secret: those are read through their
// symbolic links, may belong to root, and may then be readable by a group that
// this process is in. Whoever can write the file or its directory can replace the
// ring.
type File string

// String returns the path.
func (f File) String() string { return string(f) }

// Load reads the file. It refuses one that others may read, that belongs to
// another user, or that is larger than [MaxSize].
func (f File) Load(context.Context) ([]byte, error) {
	doc, err := f.read()
	if errors.Is(err, syscall.ESTALE) { // NFS: it was replaced between open and read
		doc, err = f.read()
	}
	return doc, err
}

func (f File) read() ([]byte, error) {
	if f == "" {
		return nil, errors.New("the path is empty")
	}
	r, err := os.OpenFile(string(f), os.O_RDONLY|nonblock, 0) // a pipe must not make it wait
	if err != nil {
		return nil, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", f)
	}
	if err := checkAccess(string(f), info); err != nil {
		return nil, err
	}
	doc, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(doc) > MaxSize {
		return nil, fmt.Errorf("%s is larger than %d bytes", f, MaxSize)
	}
	return doc, nil
}

// Save writes a temporary file beside the document, syncs it, renames it, and
// syncs the directory, all under a lock that dies with its process. The new file
// has mode 0600.
func (f File) Save(ctx context.Context, old, next []byte) error {
	path, err := f.target()
	if err != nil {
		return err
	}
	unlock, err := lock(ctx, path)
	if err != nil {
		return err
	}
	defer unlock()
	removeLeftovers(path)
	if err := File(path).holds(old); err != nil {
		return err
	}
	return explain(path, replace(path, next))
}

// holds returns nil if the document is old.
func (f File) holds(old []byte) error {
	if old == nil {
		_, err := os.Lstat(string(f))
		if err == nil {
			return ErrConflict
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	now, err := f.read()
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(old, now) {
		return ErrConflict
	}
	return err
}

// Replaceable returns why Save is bound to fail, as far as that can be told without
// trying: the file belongs to a mounted secret, is mounted as a single file, or it or
// its lock is a symbolic link that must not be followed. Whether the disk is full and
// what rights this process has in the directory is not asked.
func (f File) Replaceable() error {
	path, err := f.target()
	if err != nil {
		return err
	}
	if isMountPoint(path) {
		return explain(path, &fs.PathError{Op: "replace", Path: path, Err: syscall.EBUSY})
	}
	if info, err := os.Lstat(path + ".lock"); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s.lock is a symbolic link, which was not made here: remove it", path)
	}
	return nil
}

// target is the file that symbolic links lead to. A rename onto a link would cut
// it off.
func (f File) target() (string, error) {
	if f == "" {
		return "", errors.New("the path is empty")
	}
	path, err := filepath.EvalSymlinks(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(string(f)); err == nil {
			return "", fmt.Errorf("%s is a symbolic link to a file that is not there", f)
		}
		return string(f), nil
	}
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(strings.Split(path, string(filepath.Separator)), isSecretVersion) {
		return "", fmt.Errorf("%s belongs to a mounted secret, which can only be read here: edit the ring that the secret is made from, and apply it", f)
	}
	return path, nil
}

// isSecretVersion tells a directory that the kubelet makes for each version of a
// volume, for example "..2026_11_25_07_00_00.123456789".
func isSecretVersion(name string) bool { return strings.HasPrefix(name, "..2") || name == "..data" }

// lock keeps other editors of the file out, until unlock or the death of the
// process. The lock file stays: removing it would let two editors in.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	type result struct {
		unlock func()
		err    error
	}
	done := make(chan result, 1)
	go func() {
		unlock, err := lockFile(path + ".lock")
		done <- result{unlock, err}
	}()
	for patience := time.After(waitNotice); ; {
		select {
		case r := <-done:
			return r.unlock, explain(path, r.err)
		case <-patience:
			noticeWait(ctx, "the lock "+path+".lock, which another process holds")
		case <-ctx.Done():
			go func() {
				if r := <-done; r.err == nil {
					r.unlock()
				}
			}()
			return nil, fmt.Errorf("wait for the lock %s.lock, which another process holds: %w", path, ctx.Err())
		}
	}
}

// lockFile takes rights away from others that an earlier program or a copy may
// have given them: whoever can open the file can hold the lock for ever.
func lockFile(path string) (unlock func(), err error) {
	f, err := lockedfile.OpenFile(path, os.O_RDWR|os.O_CREATE|nofollow, 0o600)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%w: a lock file that leads elsewhere was not made here: remove it", err)
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		f.Chmod(0o600) // by its handle: what the path leads to may be another file by now
	}
	return func() { f.Close() }, nil
}

// explain says what to do about a directory that can't be written to.
func explain(path string, err error) error {
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: the directory %s can't be written to here: edit the ring where its file is made, and copy it", err, filepath.Dir(path))
	}
	if errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("%w: %s is mounted as a single file, which can't be replaced: mount its directory", err, path)
	}
	return err
}

// removeLeftovers removes the temporary files of processes that died. The lock is
// held, so no living one has any.
func removeLeftovers(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // it will be seen when the next one is made
	}
	for _, e := range entries {
		if isTemporary(e.Name(), filepath.Base(path)) {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// isTemporary reports whether os.CreateTemp can have given the name for base. The
// number tells them from the temporary files of "ring.json", if base is "ring".
func isTemporary(name, base string) bool {
	number, ok := strings.CutPrefix(name, base+".")
	number, ok2 := strings.CutSuffix(number, ".tmp")
	return ok && ok2 && number != "" && strings.Trim(number, "0123456789") == ""
}

// replace puts doc in the place of the file: after a crash at any moment the file
// holds the old document or the new one, whole.
func replace(path string, doc []byte) error {
	dir, err := os.Open(filepath.Dir(path)) // now, so that it can't fail once the file is replaced
	if err != nil {
		return err
	}
	defer dir.Close()
	tmp, err := os.CreateTemp(dir.Name(), filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once it is renamed
	_, err = tmp.Write(doc)
	if err == nil {
		err = tmp.Sync()
	}
	if err2 := tmp.Close(); err == nil {
		err = err2
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return err
	}
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("the new document is in place, but may not survive a loss of power: %w", err)
	}
	return nil
}
