//go:build !unix

package main

import (
	"os"

	"github.com/carnet-go/carnet/keys/keystore"
)

// replaceable leaves the rights in the directory to who tries.
func replaceable(path string) error { return keystore.File(path).Replaceable() }

// owned is left to what follows, a change of mode that only an owner may make.
func owned(os.FileInfo) bool { return true }
