//go:build unix

package keystore

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// checkAccess refuses a file that others than its owner may use, or that another
// user could have written.
func checkAccess(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s has no owner that could be checked", path)
	}
	groups, _ := os.Getgroups()
	return access{path, info.Mode().Perm(), int(stat.Uid), int(stat.Gid)}.check(os.Geteuid(), append(groups, os.Getegid()))
}

// access is who may use a file.
type access struct {
	path     string
	mode     fs.FileMode
	uid, gid int
}

func (a access) check(euid int, groups []int) error {
	forbidden := fs.FileMode(0o077)
	switch {
	case a.uid == euid:
	case a.uid == 0 && slices.Contains(groups, a.gid):
		forbidden = 0o037 // a Kubernetes secret with fsGroup
	case a.uid == 0:
	default:
		return fmt.Errorf("%s belongs to user %d and this process runs as user %d: whoever owns the file can replace the keys; run chown %d %s if that is meant",
			a.path, a.uid, euid, euid, a.path)
	}
	if a.mode&forbidden != 0 {
		return fmt.Errorf("%s can be used by others (mode %04o): run chmod 600 %s", a.path, a.mode, a.path)
	}
	return nil
}
