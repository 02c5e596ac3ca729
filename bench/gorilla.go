package main

import (
	"context"
	"encoding/gob"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

func secureCookie() peer {
	s := securecookie.New(secret32(), secret32())
	s.SetSerializer(securecookie.JSONEncoder{})
	s.MaxAge(int(lifetime / time.Second))
	s.MaxLength(8192)
	return peer{
		name:  "gorilla/securecookie JSON",
		issue: func(data user) (string, error) { return s.Encode("session", newClaims(data)) },
		verify: func(tok string) (user, error) {
			var c claims
			if err := s.Decode("session", tok, &c); err != nil {
				return user{}, err
			}
			return c.Data, c.judge()
		},
	}
}

// gob takes nothing that is not registered; both gorilla and scs write with it.
func registerGob() { gob.Register(claims{}) }

func newCookieStore() *sessions.CookieStore {
	registerGob()
	store := sessions.NewCookieStore(secret32(), secret32())
	store.MaxAge(int(lifetime / time.Second))
	for _, c := range store.Codecs {
		c.(*securecookie.SecureCookie).MaxLength(8192)
	}
	return store
}

const gorillaName = "gorilla/sessions cookie"

func gorillaSessions() peer { return gorillaPeer(newCookieStore()) }

func gorillaPeer(store *sessions.CookieStore) peer {
	return peer{
		name: gorillaName,
		issue: func(data user) (string, error) {
			r, w := &http.Request{Header: http.Header{}}, headerOnly{}
			s, err := store.New(r, "session")
			if err != nil {
				return "", err
			}
			s.Values["claims"] = newClaims(data)
			if err := s.Save(r, w); err != nil {
				return "", err
			}
			_, value, _ := strings.Cut(w["Set-Cookie"][0], "=")
			value, _, _ = strings.Cut(value, ";")
			return value, nil
		},
		verify: func(tok string) (user, error) {
			return sessionData(store, &http.Request{Header: http.Header{"Cookie": {"session=" + tok}}})
		},
	}
}

func sessionData(store *sessions.CookieStore, r *http.Request) (user, error) {
	s, err := store.New(r, "session")
	if err != nil {
		return user{}, err
	}
	c, ok := s.Values["claims"].(claims)
	if !ok {
		return user{}, errRefused
	}
	return c.Data, c.judge()
}

// headerOnly is the response that a cookie is set in. A whole one would be work
// that is not the peer's.
type headerOnly http.Header

func (h headerOnly) Header() http.Header         { return http.Header(h) }
func (h headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h headerOnly) WriteHeader(int)             {}

func newSCS(store scs.Store) *scs.SessionManager {
	registerGob()
	m := scs.New()
	m.Store, m.Lifetime, m.Cookie.Name = store, lifetime, "session"
	return m
}

func scsPeer(name string, m *scs.SessionManager) peer {
	return peer{
		name: name,
		issue: func(data user) (string, error) {
			ctx, err := m.Load(context.Background(), "")
			if err != nil {
				return "", err
			}
			m.Put(ctx, "claims", newClaims(data))
			tok, _, err := m.Commit(ctx)
			return tok, err
		},
		verify: func(tok string) (user, error) {
			ctx, err := m.Load(context.Background(), tok)
			if err != nil {
				return user{}, err
			}
			return scsData(ctx, m)
		},
	}
}

func scsData(ctx context.Context, m *scs.SessionManager) (user, error) {
	c, ok := m.Get(ctx, "claims").(claims)
	if !ok {
		return user{}, errRefused
	}
	return c.Data, c.judge()
}

const scsName = "scs memory"

// The clean-up goroutine would run in the rows of others. So would a garbage
// collector that has every session to look through that was ever issued.
func scsMemory() peer {
	store := memstore.NewWithCleanupInterval(0)
	p := scsPeer(scsName, newSCS(store))
	p.forget = func(but string) {
		all, err := store.All()
		check(err)
		for tok := range all {
			if tok != but {
				check(store.Delete(tok))
			}
		}
	}
	return p
}
