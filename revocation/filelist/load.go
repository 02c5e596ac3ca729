package filelist

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/carnet-go/carnet/revocation"
)

// load reads the file into the memory, or makes a new one.
func (l *List) load() error {
	f, err := openFile(l.path, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return l.writeAnew()
	}
	if err != nil {
		return err
	}
	l.file = f
	do, ops := l.replayer()
	size, err := replay(f, do)
	if err == nil {
		err = l.cutTorn(size)
	}
	if err == nil && *ops > 2*l.memory.Len() && size >= minRewrite {
		err = l.writeAnew()
	} else {
		l.size, l.ops, l.rewrite = size, *ops, max(minRewrite, size)
	}
	if err != nil && l.file != nil {
		l.giveUp()
	}
	return err
}

// replayer returns what does operations once more, in the memory, and counts them.
func (l *List) replayer() (do func(op) error, ops *int) {
	ops = new(int)
	return func(o op) error {
		*ops++
		if o.kind == opAllow {
			return l.memory.Allow(context.Background(), o.mark)
		}
		return l.memory.Restore(o.mark)
	}, ops
}

func (l *List) cutTorn(size int64) error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	l.torn = info.Size() - size
	if l.torn == 0 {
		_, err = l.file.Seek(size, io.SeekStart)
		return err
	}
	return cut(l.file, size)
}

// Read returns the marks in force of a denylist, which another process may have
// open. What is being written at the moment may be among them or not.
func Read(path string) (*revocation.Memory, error) {
	l := &List{memory: &revocation.Memory{Max: int(^uint(0) >> 1)}}
	f, err := openFile(path, os.O_RDONLY)
	if err == nil {
		defer f.Close()
		do, _ := l.replayer()
		_, err = replay(f, do)
	}
	if err != nil {
		return nil, fmt.Errorf("read denylist %s: %w", path, err)
	}
	return l.memory, nil
}

func openFile(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New("it is not a regular file")
	case info.Mode().Perm()&0o022 != 0:
		err = fmt.Errorf("others can write to it (mode %04o): run chmod go-w on it", info.Mode().Perm())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// replay gives each operation of a file to do, and returns how many bytes the
// whole frames take. What follows them is the end of a write that was not
// acknowledged, or the error is an [ErrDamaged].
func replay(r io.Reader, do func(op) error) (size int64, err error) {
	in := bufio.NewReaderSize(r, maxBody)
	first := make([]byte, len(magic))
	if n, err := io.ReadFull(in, first); !ended(err) {
		return 0, err
	} else if string(first[:n]) != magic {
		return 0, fmt.Errorf("%w at byte 0: it does not begin as one", ErrDamaged)
	}
	size = int64(len(magic))
	body := make([]byte, maxBody)
	for {
		n, whole, err := readFrame(in, body)
		if err == nil && whole {
			err = readOps(body[:n], do)
		}
		switch {
		case errors.Is(err, revocation.ErrFull):
			return size, err
		case err != nil && !errors.As(err, new(*fs.PathError)):
			return size, fmt.Errorf("%w at byte %d: %w", ErrDamaged, size, err)
		case err != nil || !whole:
			return size, err
		}
		size += int64(headSize + n)
	}
}

// ended reports whether a read came to an end, the file's or its own.
func ended(err error) bool {
	return err == nil || err == io.EOF || err == io.ErrUnexpectedEOF
}

// readFrame reads a frame's body. It is not whole if the file ends in it, or if it
// is the last one and not as it was to be, or if there are zeros up to the end, by
// which some file systems make a file longer before they write to it.
func readFrame(in *bufio.Reader, body []byte) (n int, whole bool, err error) {
	var head [headSize]byte
	if n, err := io.ReadFull(in, head[:]); n < headSize {
		if !ended(err) {
			return 0, false, err
		}
		return 0, false, nil
	}
	if head == [headSize]byte{} {
		return 0, false, zeros(in)
	}
	size := binary.BigEndian.Uint32(head[:])
	if crc32.Checksum(head[:8], castagnoli) != binary.BigEndian.Uint32(head[8:]) || size == 0 || size > maxBody {
		return 0, false, errors.New("the head of a frame is not as it was written")
	}
	body = body[:size]
	if n, err := io.ReadFull(in, body); n < len(body) {
		if !ended(err) {
			return 0, false, err
		}
		return 0, false, nil
	}
	if crc32.Checksum(body, castagnoli) == binary.BigEndian.Uint32(head[4:]) {
		return len(body), true, nil
	}
	if _, err := in.Peek(1); err == io.EOF {
		return 0, false, nil
	}
	return 0, false, errors.New("a frame is not as it was written, and others follow it")
}

// zeros reads to the end of the file and returns an error if there is anything
// else.
func zeros(in *bufio.Reader) error {
	for {
		b, err := in.ReadByte()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case b != 0:
			return errors.New("there are zeros where a frame should begin, and something else follows")
		}
	}
}

func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
