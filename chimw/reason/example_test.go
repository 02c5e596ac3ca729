package reason_test

import (
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/chimw/reason"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// Why requests are refused, in the log.
func ExampleLog() {
	set, err := keys.NewSet(keys.JWT, keys.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	ring, err := set.Ring()
	if err != nil {
		log.Fatal(err)
	}
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})))
	issuer := token.NewIssuer[struct{}](ring, token.Config{Issuer: "example.com", Audience: "web"})
	denied := new(revocation.Memory)
	sessions := chimw.New(issuer, chimw.Config{Revocation: denied, Report: reason.Log(slog.Default())})

	mux := http.NewServeMux()
	mux.Handle("GET /me", sessions.Require(http.NotFoundHandler()))
	r := httptest.NewRequest("GET", "https://example.com/me", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-session", Value: "made.up"})
	mux.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// level=INFO msg="session refused" reason=malformed method=GET route="GET /me" error="invalid token: malformed"
}
