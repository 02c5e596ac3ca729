// Command servemux is a site where people log in, on net/http alone.
package main

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/filelist"
	"github.com/carnet-go/carnet/token"
)

// User is what a session carries.
type User struct {
	Name   string
	Visits int
}

func main() {
	ring, err := keys.Open("ring.json")
	if err != nil {
		log.Fatal(err)
	}
	denied, err := filelist.Open("denied.log", 0) // logouts outlive a restart
	if err != nil {
		log.Fatal(err)
	}
	cookie := chimw.Cookie{InsecureLocalhost: os.Getenv("DEVELOPMENT") != ""} // plain http
	log.Fatal(http.ListenAndServe("localhost:8080", site(ring, denied, cookie)))
}

func site(ring token.Sealer, denied revocation.List, cookie chimw.Cookie) http.Handler {
	issuer := token.NewIssuer[User](ring, token.Config{Issuer: "example.com", Audience: "web"})
	sessions := chimw.New(issuer, chimw.Config{Revocation: denied, Cookie: cookie})

	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		name := r.PostFormValue("name") // check the password here
		if err := sessions.Login(w, r, name, User{Name: name}); err != nil {
			refuse(w, err)
			return
		}
		http.Redirect(w, r, "/me", http.StatusSeeOther)
	})
	mux.Handle("GET /me", sessions.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := sessions.Update(w, r, func(u *User) { u.Visits++ })
		if err != nil {
			refuse(w, err)
			return
		}
		s, _ := chimw.FromContext[User](r.Context())
		w.Header().Set("Cache-Control", "no-store") // nor for the back button after a logout
		fmt.Fprintf(w, "hello, %s, for the %d. time\n", s.Data().Name, s.Data().Visits)
	})))
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Logout(w, r); err != nil {
			refuse(w, err)
		}
	})
	return mux
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable // try again
	switch {
	case errors.Is(err, chimw.ErrCrossOrigin): // another site's page sent it
		status = http.StatusForbidden
	case errors.Is(err, token.ErrInvalid): // logged out meanwhile
		status = http.StatusUnauthorized
	}
	http.Error(w, http.StatusText(status), status)
}
