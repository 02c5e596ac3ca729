package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// What the node that mints puts into a session may be more than this one knows.
type userThere struct {
	Name  string
	Admin bool
}

func TestService(t *testing.T) {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		t.Fatal(err)
	}
	tok, _, err := token.NewIssuer[userThere](ring, token.Config{Issuer: "example.com", Audience: "web"}).Issue("alice", userThere{"Alice", true})
	if err != nil {
		t.Fatal(err)
	}
	h := service(ring, new(revocation.Memory))
	site := "same-origin"
	send := func(method, path, tok string) (int, string) {
		r := httptest.NewRequest(method, "https://example.com"+path, nil)
		r.Header.Set("Sec-Fetch-Site", site)
		r.Header.Set("Cookie", "__Host-session="+tok)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if status, text := send("GET", "/orders", tok); status != http.StatusOK || text != "the orders of Alice\n" {
		t.Errorf("%d %q", status, text)
	}
	if status, _ := send("GET", "/orders", tok+"x"); status != http.StatusUnauthorized {
		t.Errorf("a token that was altered: %d", status)
	}
	site = "cross-site"
	if status, _ := send("POST", "/logout", tok); status != http.StatusForbidden {
		t.Errorf("logout by the page of another site: %d", status)
	}
	site = "same-origin"
	if status, _ := send("POST", "/logout", tok); status != http.StatusOK {
		t.Errorf("logout: %d", status)
	}
	if status, _ := send("GET", "/orders", tok); status != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", status)
	}
	if status, _ := send("POST", "/logout", tok); status != http.StatusOK {
		t.Errorf("a second logout: %d", status)
	}
}
