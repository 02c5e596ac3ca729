//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package filelist

import "errors"

// lock refuses: without a lock two processes could undo each other's marks.
func lock(string) (unlock func(), err error) {
	return nil, errors.ErrUnsupported
}
