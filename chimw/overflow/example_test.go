package overflow_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/overflow"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

type Basket struct{ Items []string } // what a session carries

// A basket that outgrows the cookie.
func Example() {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	ring, err := set.Ring() // keys.Open("ring.json")
	if err != nil {
		log.Fatal(err)
	}
	issuer := token.NewIssuer[Basket](ring, token.Config{Issuer: "example.com", Audience: "shop"})
	store := new(overflow.Memory) // and a redisoverflow.Store for several nodes
	sessions := chimw.New(issuer, chimw.Config{Revocation: new(revocation.Memory), Overflow: store})

	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Login(w, r, "alice", Basket{}); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "hello")
	})
	mux.Handle("POST /buy", sessions.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := sessions.Update(w, r, func(b *Basket) { b.Items = append(b.Items, strings.Repeat("pen ", 1000)) })
		var size *token.SizeError
		switch {
		case errors.As(err, &size): // more than a MiB, or than a cookie without a store
			http.Error(w, "the basket is full", http.StatusConflict)
		case err != nil:
			http.Error(w, "try again", http.StatusServiceUnavailable)
		default:
			s, _ := chimw.FromContext[Basket](r.Context())
			fmt.Fprintln(w, len(s.Data().Items), "in the basket")
		}
	})))

	server := httptest.NewTLSServer(mux)
	defer server.Close()
	client := server.Client()
	client.Jar, _ = cookiejar.New(nil)
	for _, path := range []string{"/login", "/buy", "/buy"} {
		resp, err := client.Post(server.URL+path, "", nil)
		if err != nil {
			log.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		small := len(resp.Cookies()[0].Value) < 1000
		fmt.Println(path, resp.StatusCode, "small cookie:", small, strings.TrimSpace(string(text)))
	}
	// Output:
	// /login 200 small cookie: true hello
	// /buy 200 small cookie: true 1 in the basket
	// /buy 200 small cookie: true 2 in the basket
}
