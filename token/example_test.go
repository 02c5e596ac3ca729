package token_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

type User struct{ Name string }

func Example() {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	ring, err := set.Ring() // a program uses keys.Open
	if err != nil {
		log.Fatal(err)
	}
	issuer := token.NewIssuer[User](ring, token.Config{Issuer: "example.com", Audience: "web"})
	tok, _, err := issuer.Issue("alice", User{Name: "Alice"})
	if err != nil {
		log.Fatal(err)
	}

	session, err := issuer.Verifier().Verify(tok)
	fmt.Println(session.Data().Name, err)

	_, err = issuer.Verifier().Verify(tok + "x")
	fmt.Println(errors.Is(err, token.ErrInvalid))

	_, _, err = issuer.Issue("alice", User{Name: string(make([]byte, 4000))})
	var size *token.SizeError
	fmt.Println(errors.As(err, &size))
	// Output:
	// Alice <nil>
	// true
	// true
}
