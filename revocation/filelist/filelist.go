// Package filelist keeps a denylist in the memory of one process and in a file,
// so that a restart forgets nothing. It is for a service that runs as one process;
// several share a list by package redislist.
//
//	denied, err := filelist.Open("denied.log", 0)
//	sessions := chimw.New(issuer, chimw.Config{Revocation: denied})
//
// # What it promises
//
// Revoke returned nil: the marks are on the disk, and hold whatever becomes of the
// process or the machine, as far as the disk keeps what it has acknowledged.
// Revoke returned an error: this process refuses the sessions all the same, unless
// the list is full, and tries to write them with the next call; a restart before
// that may forget them.
//
// The file grows by each call and is written anew once more than half of it is of
// no use any more. It names subjects and session ids, with which nobody gets in.
// Who can write to it can let revoked sessions in again.
//
// # The file
//
// It is the line "carnet denylist 1" and then frames, each of a length, two CRC-32C
// and some operations: a mark, or that marks are dropped. A crash can leave the
// last frame unfinished; [Open] cuts it off, as no call was acknowledged before
// its frame was whole. Anything else that is not as written is [ErrDamaged].
package filelist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

var (
	// ErrInUse is a file that another List has open.
	ErrInUse = errors.New("the denylist is in use by another process: a file serves one; several share a list on Redis")

	// ErrDamaged is a file that holds something else than was written to it. The
	// error names the offset of the first such byte. Going on without it would let
	// revoked sessions in again, so restore a backup, or move the file away and
	// revoke everyone.
	ErrDamaged = errors.New("the denylist is damaged")
)

// A List is a [revocation.List] in memory and in a file. It is safe for
// concurrent use.
type List struct {
	path   string
	memory *revocation.Memory
	unlock func()
	torn   int64

	// Order matters: writing is taken first. It is held by who writes to the file,
	// mu by who changes memory and batch together.
	writing sync.Mutex
	file    *os.File // nil if the file must be written anew before anything counts
	size    int64    // of the whole frames in the file
	ops     int      // in the file, of use or not
	rewrite int64    // the size at which to try the next rewrite
	owed    []byte   // frames that failed, to go with the next write

	mu     sync.Mutex
	batch  *batch // what the next writer is to write
	closed bool
}

// Open opens the denylist in a file, or makes a new one. The list holds at most
// most marks; zero means 1,000,000, which take about 290 MB of memory and 120 MB of
// disk. A mark beyond that is refused with [revocation.ErrFull]; a file that has
// more is too.
//
// A file that others can write to is refused. The file beside it with ".lock" at
// its end keeps a second process out ([ErrInUse]); it stays when the process ends.
func Open(path string, most int) (*List, error) {
	l, err := open(path, most)
	if err != nil {
		return nil, fmt.Errorf("open denylist %s: %w", path, err)
	}
	return l, nil
}

func open(path string, most int) (l *List, err error) {
	if path == "" {
		return nil, errors.New("the path is empty")
	}
	// A rewrite replaces the file, and must not replace a link to it.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	unlock, err := lock(path + ".lock")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			unlock()
		}
	}()
	l = &List{path: path, memory: &revocation.Memory{Max: most}, unlock: unlock, batch: new(batch)}
	return l, l.load()
}

// Check returns nil if no mark in force covers c, and a [*revocation.RevokedError]
// if one does. It looks at no file and not at ctx.
func (l *List) Check(ctx context.Context, c token.Claims) error { return l.memory.Check(ctx, c) }

// Revoke returns nil once the marks are on the disk. Calls at the same time share
// a write. If one of the marks makes no sense none is stored. It does not look at
// ctx: a logout must hold even if the client has hung up.
func (l *List) Revoke(ctx context.Context, marks ...revocation.Mark) error {
	ready := make([]revocation.Mark, len(marks))
	for i, m := range marks {
		var err error
		if ready[i], err = m.Normalize(); err != nil {
			return err
		}
	}
	return l.change(func(b *batch) error {
		// This node refuses the sessions, whatever becomes of the file.
		if err := l.memory.Revoke(ctx, ready...); err != nil {
			return err
		}
		for _, m := range ready {
			b.frames.deny(m)
		}
		return nil
	})
}

// Allow drops what is held of the axes and values of the marks, as
// [revocation.Memory.Allow] does, and returns nil once that is on the disk.
func (l *List) Allow(ctx context.Context, marks ...revocation.Mark) error {
	return l.change(func(b *batch) error {
		if err := l.memory.Allow(ctx, marks...); err != nil {
			return err
		}
		for _, m := range marks {
			b.frames.allow(m)
		}
		return nil
	})
}

// change changes the memory, and returns once the file has it too.
func (l *List) change(do func(b *batch) error) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return fmt.Errorf("change denylist: %w", os.ErrClosed)
	}
	b := l.batch
	if err := do(b); err != nil {
		l.mu.Unlock()
		return err
	}
	l.mu.Unlock()
	return l.commit(b)
}

// Marks gives the marks in force, as [revocation.Memory.Marks] does.
func (l *List) Marks() iter.Seq[revocation.Mark] { return l.memory.Marks() }

// Len returns how many marks are held, as [revocation.Memory.Len] does.
func (l *List) Len() int { return l.memory.Len() }

// Torn returns how many bytes Open cut off the file's end: of a write that a crash
// interrupted and that was not acknowledged.
func (l *List) Torn() int64 { return l.torn }

// Close waits for the calls that are under way, closes the file and lets other
// processes have it. Check goes on answering.
func (l *List) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	last := l.batch
	l.mu.Unlock()
	err := l.commit(last)
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
		l.file = nil
	}
	l.unlock()
	if err != nil {
		return fmt.Errorf("close denylist: %w", err)
	}
	return nil
}

// Format prints a placeholder, whatever the verb.
func (l *List) Format(f fmt.State, _ rune) { io.WriteString(f, "filelist.List(redacted)") }
