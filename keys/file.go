package keys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// maxDocument is far above the size of a ring with [maxKeys] keys.
const maxDocument = 1 << 20

// Create writes the set to a new file that only its owner can read. The secrets
// are in the clear. It refuses a file that exists.
func (s *Set) Create(path string) error {
	unlock, err := lock(path)
	if err != nil {
		return fmt.Errorf("create key ring: %w", err)
	}
	defer unlock()
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("create key ring: %s: %w: choose another name, or rotate the ring that is there", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create key ring: %w", err)
	}
	return save(path, s)
}

// Edit changes the ring in a file: it reads the set, calls change, and replaces
// the file by what that returns, in one step that a crash can't split. Edits of
// several processes happen one after the other. If change fails the file stays
// as it is, and its error is returned.
func Edit(path string, change func(*Set) (*Set, error)) (*Set, error) {
	unlock, err := lock(path)
	if err != nil {
		return nil, fmt.Errorf("edit key ring: %w", err)
	}
	defer unlock()
	s, err := load(path)
	if err != nil {
		return nil, err
	}
	if s, err = change(s); err != nil {
		return nil, fmt.Errorf("edit key ring %s: %w", path, err)
	}
	return s, save(path, s)
}

func load(path string) (*Set, error) {
	doc, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	s, err := parseRing(doc)
	if err != nil {
		return nil, fmt.Errorf("open key ring %s: %w", path, err)
	}
	return s, nil
}

func save(path string, s *Set) error {
	doc, err := s.marshal()
	if err != nil {
		return err
	}
	if err := replaceFile(path, doc); err != nil {
		return fmt.Errorf("save key ring: %w", err)
	}
	return nil
}

// lock keeps other editors of the file out, until unlock or the death of the
// process. The lock file stays: removing it would let two editors in.
func lock(path string) (unlock func(), err error) {
	if path == "" {
		return nil, errors.New("the path is empty")
	}
	return lockedfile.MutexAt(path + ".lock").Lock()
}

// readFile reads a whole document from a file with no rights for others.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s can be used by others (mode %04o): run chmod 600 %s", path, mode, path)
	}
	doc, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(doc) > maxDocument {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxDocument)
	}
	return doc, nil
}

// replaceFile puts doc in the place of the file: after a crash at any moment the
// file holds the old document or the new one, whole.
func replaceFile(path string, doc []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp") // mode 0600
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
	if err == nil {
		err = syncDir(dir)
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
