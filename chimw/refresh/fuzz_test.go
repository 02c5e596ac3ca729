package refresh_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever a form looks like, only the genuine token in the one right place is believed.
func FuzzServeHTTP(f *testing.F) {
	a := newApp(f, nil)
	tok := a.login(f).RefreshToken
	for _, seed := range []string{
		"", "refresh_token=TOKEN", "refresh_token=TOKEN&grant_type=refresh_token", "refresh_token=TOKEN&refresh_token=TOKEN",
		"grant_type=password&refresh_token=TOKEN", "refresh_token=TOKENx", "refresh_token=%zz", "a;refresh_token=TOKEN",
		"refresh_token=+TOKEN", "%72efresh_token=TOKEN", "&&&refresh_token=TOKEN&&", "refresh_token", "REFRESH_TOKEN=TOKEN",
	} {
		f.Add(seed, "application/x-www-form-urlencoded")
	}
	f.Add("refresh_token=TOKEN", "application/x-www-form-urlencoded; charset=utf-8; charset=utf-8")
	f.Add("refresh_token=TOKEN", "text/plain")
	f.Add(`{"refresh_token":"TOKEN"}`, "application/json")
	f.Fuzz(func(t *testing.T, body, kind string) {
		body = strings.ReplaceAll(body, "TOKEN", tok)
		r := httptest.NewRequest("POST", "https://example.com/refresh", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		a.nodes[0].ServeHTTP(w, r)
		values, err := url.ParseQuery(body)
		genuine := err == nil && len(values["refresh_token"]) == 1 && values["refresh_token"][0] == tok
		switch {
		case w.Code == http.StatusOK && genuine:
		case w.Code == http.StatusUnauthorized && w.Body.String() == "Unauthorized\n":
		default:
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}
