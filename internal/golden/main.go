// Command golden writes the golden files: a ring of each format, and tokens of
// its keys. It follows docs/format.md and uses none of the packages that make and
// read such files, so that what it writes is a second opinion.
//
//	go run ./internal/golden keys/testdata/golden
//
// Keys and nonces are fixed. They are for tests and protect nothing.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: golden DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "golden:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	files, err := generate()
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the files by name.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, format := range []string{"jwt", "paseto"} {
		keys := newKeys(format)
		files[format+"/ring.json"] = document("carnet ring", ring(keys, true))
		files[format+"/verify-only.json"] = document("carnet verify-only ring", ring(keys, false))
		if format == "jwt" {
			files["jwt/jwks.json"] = jwks(keys)
		}
		if err := addSealed(files, format); err != nil {
			return nil, err
		}
		for _, purpose := range []string{"session", "refresh", "challenge"} {
			for _, k := range keys {
				if purpose != "session" && k.state != "active" {
					continue
				}
				tok, err := k.token(purpose)
				if err != nil {
					return nil, err
				}
				files[format+"/"+purpose+"-"+k.state+".token"] = []byte(tok)
			}
		}
	}
	return files, nil
}
