package main

import (
	"os"
	"path/filepath"
)

// replaceFile puts doc into a file that only its owner can read. After a crash
// at any moment the file holds what it held before or doc, whole.
func replaceFile(path string, doc []byte) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once it is renamed
	if err := writeSynced(tmp, doc); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func writeSynced(f *os.File, doc []byte) error {
	_, err := f.Write(doc)
	if err == nil {
		err = f.Sync()
	}
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}
