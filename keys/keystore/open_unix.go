//go:build unix

package keystore

import "syscall"

const nonblock = syscall.O_NONBLOCK
