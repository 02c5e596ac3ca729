package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A user is what a session carries in all rows.
type user struct {
	Name   string   `json:"name"`
	Email  string   `json:"email"`
	Roles  []string `json:"roles"`
	Tenant string   `json:"tenant"`
	Cart   []item   `json:"cart"`
	Note   string   `json:"note,omitempty"`
}

type item struct {
	SKU   string `json:"sku"`
	Count int    `json:"n"`
	Cents int64  `json:"c"`
}

// flat is the same without slices, for the row that copies no more than a struct.
type flat struct {
	Name   string `json:"name"`
	Email  string `json:"email"`
	Tenant string `json:"tenant"`
}

// A work is one size of session.
type work struct {
	name string
	data user
}

func cart(n int) []item {
	items := make([]item, n)
	for i := range items {
		items[i] = item{fmt.Sprintf("SKU-%05d", 10000+i*137), i%4 + 1, int64(999 + i*250)}
	}
	return items
}

func works() []work {
	alice := user{
		Name:   "Alice Liddell",
		Email:  "alice.liddell@example.com",
		Roles:  []string{"admin", "editor", "viewer"},
		Tenant: "acme42",
		Cart:   cart(3),
	}
	large := alice
	large.Cart = cart(20)
	large.Note = strings.Repeat("lorem ipsum dolor sit amet ", 31)
	return []work{{"small", alice}, {"large", large}}
}

func (w work) size() int {
	raw, err := json.Marshal(w.data)
	check(err)
	return len(raw)
}

// What every peer checks and says.
const (
	issuer    = "https://login.example.com"
	audience  = "web.example.com"
	subject   = "7f8a2d1c-54b0-4c1e-9a36-0d2b8f1e6c77"
	sessionID = "q83vEjRWeJCrze8SNFZ4kA"
	tokenID   = "ASNFZ4mrze_-3LqYdlQyEA"
)

const lifetime = 12 * time.Hour

// claims is the payload that the peers without one of their own write.
type claims struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Subject   string `json:"sub"`
	SessionID string `json:"sid"`
	ID        string `json:"jti"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	ExpiresAt int64  `json:"exp"`
	Data      user   `json:"data"`
}

func newClaims(data user) claims {
	now := time.Now()
	return claims{issuer, audience, subject, sessionID, tokenID,
		now.Unix(), now.Unix(), now.Add(lifetime).Unix(), data}
}

var errRefused = fmt.Errorf("refused")

// judge is what a peer that leaves the claims to its caller is used with.
func (c *claims) judge() error {
	now := time.Now().Unix()
	if c.Issuer != issuer || c.Audience != audience || c.Subject == "" || now < c.NotBefore || now >= c.ExpiresAt {
		return errRefused
	}
	return nil
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](v T, err error) T {
	check(err)
	return v
}
