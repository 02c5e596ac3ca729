package filelist

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// A batch is what callers at the same time have to write. Frames belongs to
// List.mu until it is no longer List.batch, the rest to List.writing.
type batch struct {
	frames frames

	done bool
	err  error
}

// commit returns once the batch is on the disk. The first caller that gets to
// write does so for all that have joined by then.
func (l *List) commit(b *batch) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if !b.done {
		l.mu.Lock()
		l.batch = new(batch) // b takes no more
		l.mu.Unlock()
		b.done = true
		if err := l.write(b); err != nil {
			b.err = fmt.Errorf("write denylist %s: %w", l.path, err)
		}
	}
	return b.err
}

// maxOwed bounds what is kept of writes that failed, in bytes.
const maxOwed = 1 << 20

func (l *List) write(b *batch) error {
	data := append(l.owed, b.frames.bytes()...)
	if len(data) == 0 {
		return nil
	}
	if !l.inPlace() {
		// The memory has all that the batch has.
		err := l.writeAnew()
		if err != nil && l.file != nil {
			l.giveUp() // or the batch would be missing if it comes back
		}
		return err
	}
	if err := l.append(data); err != nil {
		if l.owed = nil; len(data) <= maxOwed {
			l.owed = data
		}
		return err
	}
	l.owed = nil
	l.ops += b.frames.ops
	if l.size >= l.rewrite && l.ops > 2*l.memory.Len() {
		// The batch is safe, so a failure is for the next rewrite to repair, if it
		// lost the file, and of no consequence otherwise.
		if l.writeAnew() != nil {
			l.rewrite = l.size + l.size/2
		}
	}
	return nil
}

// inPlace reports whether the open file is the one under the path. One that was
// removed or replaced would take writes that no restart finds.
func (l *List) inPlace() bool {
	if l.file == nil {
		return false
	}
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(l.path)
	return err == nil && os.SameFile(mine, there)
}

// append adds frames to the file. A write that failed is taken back, so that the
// next frame does not follow half of one. After a failed sync nobody knows what is
// on the disk, and the file is given up.
func (l *List) append(data []byte) error {
	_, err := l.file.Write(data)
	if err == nil {
		if err = l.file.Sync(); err != nil {
			l.giveUp()
			return err
		}
		l.size += int64(len(data))
		return nil
	}
	if l.file.Truncate(l.size) != nil {
		l.giveUp()
	} else if _, err2 := l.file.Seek(l.size, io.SeekStart); err2 != nil {
		l.giveUp()
	}
	return err
}

func (l *List) giveUp() {
	l.file.Close()
	l.file = nil
}

// minRewrite is the size, in bytes, under which a file is left alone.
const minRewrite = 1 << 20

// writeAnew replaces the file by one with the marks in force. After a crash at any
// moment there is the old file or the new one.
func (l *List) writeAnew() (err error) {
	name := l.path + ".new"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(name) // fails once it is renamed
		}
	}()
	size, ops, err := l.writeMarks(f)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(name, l.path); err != nil {
		return err
	}
	// Until the directory is on the disk a crash may bring either file back, so
	// none of the two takes writes.
	if l.file != nil {
		l.giveUp()
	}
	if err := syncDir(l.path); err != nil {
		return err
	}
	l.file, l.size, l.ops, l.rewrite, l.owed = f, size, ops, max(minRewrite, size), nil
	return nil
}

// writeMarks holds off all callers of Revoke while it reads the memory: with a
// writer waiting there, each Check would wait too.
func (l *List) writeMarks(w io.Writer) (size int64, ops int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := frames{data: []byte(magic)}
	for m := range l.memory.Marks() {
		if len(out.data) > 1<<20 {
			n, err := w.Write(out.bytes())
			if err != nil {
				return 0, 0, err
			}
			size += int64(n)
			out.data = out.data[:0]
		}
		out.deny(m)
	}
	n, err := w.Write(out.bytes())
	return size + int64(n), out.ops, err
}

// cut removes what follows the whole frames of a file, and has writes go there.
func cut(f *os.File, size int64) error {
	if err := f.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, io.SeekStart)
	return errors.Join(err, f.Sync())
}
