package keystore

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"
)

// pollFile is how often Watch asks for the state of a file, which costs
// microseconds. inotify dies at the first swap of a Kubernetes volume and does not
// exist on NFS.
const pollFile = 2 * time.Second

// Watch calls changed within about two seconds of a change, through symbolic
// links too. It returns an error at once for a file that is a mount point of its
// own: what is mounted there is one inode, which never changes.
func (f File) Watch(ctx context.Context, changed func()) error {
	if isMountPoint(string(f)) {
		return fmt.Errorf("%s is mounted as a single file (a subPath, or a bind mount of the file), so a new ring can never arrive: mount its directory", f)
	}
	last := f.stat()
	changed()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(Jitter(pollFile)):
		}
		if now := f.stat(); !same(last, now) {
			last = now
			changed()
		}
	}
}

// stat is nil for a file that can't be found.
func (f File) stat() fs.FileInfo {
	info, err := os.Stat(string(f))
	if err != nil {
		return nil
	}
	return info
}

func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) &&
		a.Mode() == b.Mode() && changeTime(a) == changeTime(b)
}

// Jitter returns a duration within a tenth of d, so that nodes which started
// together do not ask together.
func Jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5)
}
