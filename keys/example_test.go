package keys_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

type User struct{ Name string }

// A node that holds a verify-only file reads what another minted. That it could
// mint does not compile.
func ExampleOpenVerifyOnly() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	tok, verify := mintElsewhere(dir)

	ring, err := keys.OpenVerifyOnly(verify)
	if err != nil {
		log.Fatal(err)
	}
	verifier := token.NewVerifier[User](ring, token.Config{Issuer: "example.com", Audience: "web"})
	session, err := verifier.Verify(tok)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Subject, session.Data().Name)
	// Output: alice Alice
}

// mintElsewhere is "carnet init", "carnet export" and a login on the node that
// has the ring.
func mintElsewhere(dir string) (tok, verify string) {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	doc, err := set.VerifyOnly()
	if err != nil {
		log.Fatal(err)
	}
	verify = filepath.Join(dir, "verify.json")
	if err := os.WriteFile(verify, doc, 0o600); err != nil {
		log.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		log.Fatal(err)
	}
	tok, _, err = token.NewIssuer[User](ring, token.Config{Issuer: "example.com", Audience: "web"}).Issue("alice", User{"Alice"})
	if err != nil {
		log.Fatal(err)
	}
	return tok, verify
}
