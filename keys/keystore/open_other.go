//go:build !unix

package keystore

const (
	nonblock = 0
	nofollow = 0
)
