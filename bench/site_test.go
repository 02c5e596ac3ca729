package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestSitesKnowTheirUserAndNobodyElse(t *testing.T) {
	rdb, stop, err := startRedis()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, s := range sites(works()[0].data, rdb) {
		get := func(cookie string) int {
			s := s
			s.cookie = cookie
			rec := httptest.NewRecorder()
			s.handler.ServeHTTP(rec, s.request("http://example.com/me"))
			return rec.Code
		}
		for range 2 {
			if code := get(s.cookie); code != http.StatusOK {
				t.Errorf("%s: %d", s.name, code)
			}
		}
		if s.name == bareSite || s.name == bareCookieSite || s.name == scsName || s.name == scsRedisSite {
			continue // scs has new sessions without data, and leaves the refusal to the handler
		}
		if code := get(forge(s.cookie)); code != http.StatusUnauthorized {
			t.Errorf("%s takes a forgery: %d", s.name, code)
		}
		if code := get(""); code != http.StatusUnauthorized {
			t.Errorf("%s takes nothing: %d", s.name, code)
		}
	}
}
