package filelist_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/filelist"
)

// A logout outlives the process.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "denied")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	laptop := claims("laptop's session id")

	denied, err := filelist.Open(filepath.Join(dir, "denied.log"), 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := denied.Revoke(context.Background(), revocation.Session(laptop)); err != nil {
		fmt.Println("not logged out, try again:", err)
	}
	denied.Close()

	denied, err = filelist.Open(filepath.Join(dir, "denied.log"), 0)
	if err != nil {
		log.Fatal(err)
	}
	defer denied.Close()
	fmt.Println(errors.Is(denied.Check(context.Background(), laptop), revocation.ErrRevoked))
	// Output: true
}
