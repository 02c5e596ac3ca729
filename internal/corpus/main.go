// Command corpus mints tokens that nobody may believe, and a few that everybody
// must.
//
//	go run ./internal/corpus jwt DIR
//	carnet verify --base64 --ring DIR/ring.json --issuer example.com --audience web < DIR/tokens
//
// Each token has one fault and stands for one line of a file: DIR/tokens has the
// tokens in base64, DIR/names their names in the same order. A name ends with what
// a verifier must say, as in "jwt/claims/exp-as-string.malformed". Most of them are
// minted with the right keys, as an intruder on a minting node or a bug would do
// it. The keys are the same on each run, the times are those of the run.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/carnet-go/carnet/keys"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: corpus jwt|paseto DIR")
		os.Exit(2)
	}
	if err := write(keys.Format(os.Args[1]), os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func write(f keys.Format, dir string) error {
	entries, err := mint(f, time.Now())
	if err != nil {
		return err
	}
	var names, tokens strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&names, e.name)
		fmt.Fprintln(&tokens, base64.StdEncoding.EncodeToString([]byte(e.tok)))
	}
	for name, text := range map[string]string{"ring.json": ring(f), "names": names.String(), "tokens": tokens.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
