package keys_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"io"
	"log"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/keys/keystest"
	"github.com/carnet-go/carnet/token"
)

// A kms stands for the client of a key management service.
type kms struct{ keys map[string]ed25519.PrivateKey }

// A kmsSigner is a key of the service as a [crypto.Signer], which the libraries of
// most services and PKCS#11 have.
type kmsSigner struct {
	service *kms
	name    string
	public  crypto.PublicKey
}

func (s kmsSigner) Public() crypto.PublicKey { return s.public }

func (s kmsSigner) Sign(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.service.keys[s.name].Sign(rand, message, opts) // a call of the service
}

func (k *kms) signer(_ context.Context, name string) (crypto.Signer, error) {
	key, ok := k.keys[name]
	if !ok {
		return nil, fmt.Errorf("the service has no key %q", name)
	}
	return kmsSigner{k, name, key.Public()}, nil
}

// Tokens are signed by a key that never leaves its service.
func ExampleSet_RotateTo() {
	ctx := context.Background()
	service := &kms{keys: map[string]ed25519.PrivateKey{}}
	for _, name := range []string{"sessions-1", "sessions-2"} {
		_, service.keys[name], _ = ed25519.GenerateKey(nil)
	}
	source := keys.Source{Store: keystest.NewStore(), Plain: true, Signer: service.signer} // or a Path, and sealed
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err == nil {
		err = source.Create(ctx, set)
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"sessions-1", "sessions-2"} {
		_, err := source.Edit(ctx, func(set *keys.Set) (*keys.Set, error) {
			signer, err := service.signer(ctx, name)
			if err != nil {
				return nil, err
			}
			return set.RotateTo(signer, name, "", true) // without force once nodes run
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	ring, err := source.Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer ring.Close()
	issuer := token.NewIssuer[string](ring, token.Config{Issuer: "example.com", Audience: "web"})
	tok, _, err := issuer.Issue("alice", "signed elsewhere")
	if err != nil {
		log.Fatal(err)
	}
	s, err := token.NewVerifier[string](ring, token.Config{Issuer: "example.com", Audience: "web"}).Verify(tok)
	if err != nil {
		log.Fatal(err)
	}
	for _, k := range ring.Set().Keys() {
		fmt.Printf("%s %q\n", k.State, k.Signer)
	}
	fmt.Println(s.Subject, s.Data())
	// Output:
	// retired ""
	// retired ""
	// active "sessions-1"
	// pre-published "sessions-2"
	// alice signed elsewhere
}
