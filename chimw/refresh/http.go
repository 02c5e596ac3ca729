package refresh

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/token"
)

// A Pair is what a client gets, in the form of RFC 6749 section 5.1. It prints as a
// placeholder with every fmt verb and in slog; only JSON shows it.
type Pair struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"` // "Bearer"
	ExpiresIn    int64  `json:"expires_in"` // seconds that the access token lives
	RefreshToken string `json:"refresh_token"`
}

func newPair(access, refresh string, c *token.Claims) Pair {
	return Pair{access, "Bearer", int64(c.ExpiresAt.Sub(c.IssuedAt) / time.Second), refresh}
}

// Format prints a placeholder, whatever the verb.
func (Pair) Format(f fmt.State, _ rune) { io.WriteString(f, "refresh.Pair(redacted)") }

// LogValue gives slog the same placeholder.
func (Pair) LogValue() slog.Value { return slog.StringValue("refresh.Pair(redacted)") }

// Write answers a request with the pair, as JSON that no cache keeps.
func (p Pair) Write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(p)
}

// ServeHTTP answers POST with the next [Pair]. The refresh token is the parameter
// refresh_token of a form in the body (RFC 6749 section 6), and nowhere else: neither
// in the URL, which is logged, nor in a cookie, which other sites' pages could have
// sent. A parameter grant_type, if there is one, must be refresh_token.
//
// Answers are those of package chimw: 401, log in again; 503, keep the tokens and try
// again. The body says no more than that, and [Config].Report is told the reason. A
// form that stops arriving is a 503. A client without an answer sends the same token
// again.
func (t *Tokens[T]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	tok, err := read(w, r)
	var pair Pair
	if err == nil {
		pair, err = t.Refresh(r.Context(), tok)
	}
	if err != nil {
		t.refuse(w, r, err)
		return
	}
	pair.Write(w)
}

// maxBody is the length of a form with one token in it.
const maxBody = token.MaxSize + 1024

// read takes the refresh token out of the form of a request.
func read(w http.ResponseWriter, r *http.Request) (string, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return "", chimw.ErrNoToken
	}
	if err := buffer(w, r); err != nil {
		return "", err
	}
	if err := r.ParseForm(); err != nil {
		return "", token.ErrMalformed
	}
	if grant := r.PostForm["grant_type"]; len(grant) > 1 || len(grant) == 1 && grant[0] != "refresh_token" {
		return "", token.ErrMalformed
	}
	switch tokens := r.PostForm["refresh_token"]; len(tokens) {
	case 0:
		return "", chimw.ErrNoToken
	case 1:
		return tokens[0], nil
	}
	return "", chimw.ErrTwoTokens
}

// buffer reads the body. One that did not arrive in time or whole says nothing about
// the token in it.
func buffer(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return token.ErrTooLarge
	}
	if err != nil {
		return fmt.Errorf("read the form: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// retryAfter is in seconds. A store that fails over is back in about that time.
const retryAfter = "3"

func (t *Tokens[T]) refuse(w http.ResponseWriter, r *http.Request, err error) {
	t.config.Report(r, err)
	status := http.StatusServiceUnavailable
	if errors.Is(err, token.ErrInvalid) {
		status = http.StatusUnauthorized
	} else {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}
