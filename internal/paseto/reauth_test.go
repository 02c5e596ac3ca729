package paseto_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/carnet-go/carnet/token"
)

const reauth = `,"reauth_time":"2025-11-24T16:00:00Z","data"`

// A token of a user who has not authenticated again has no byte more than before.
func TestSealWritesReauthOnlyIfThereWasOne(t *testing.T) {
	h, c := newHolder(t), claims()
	again := strings.Replace(payload, `,"data"`, reauth, 1)
	for want, at := range map[string]time.Time{payload: {}, again: c.IssuedAt.Add(999 * time.Millisecond)} {
		c.AuthenticatedAt = at
		tok := seal(t, h, c)
		if got, want := h.content(tok), `{"token":"`+h.signed(want, session)+`"}`; got != want {
			t.Errorf("the outer payload is\n%s, want\n%s", got, want)
		}
		got, err := h.Open(tok, session)
		if err != nil || !got.AuthenticatedAt.Equal(at.Truncate(time.Second)) {
			t.Errorf("%v, opened as %v", err, got.AuthenticatedAt)
		}
	}
	c.AuthenticatedAt = time.Unix(-1, 0)
	if _, err := h.Seal(c); err == nil {
		t.Error("sealed a time before 1970")
	}
}

func TestSealWritesTheRevisionOnlyIfThereIsOne(t *testing.T) {
	h, c := newHolder(t), claims()
	c.Revision = 12
	tok := seal(t, h, c)
	body := strings.Replace(payload, `,"data"`, `,"rev":12,"data"`, 1)
	if got, want := h.content(tok), `{"token":"`+h.signed(body, session)+`"}`; got != want {
		t.Errorf("the outer payload is\n%s, want\n%s", got, want)
	}
	if got, err := h.Open(tok, session); err != nil || got.Revision != 12 {
		t.Errorf("%v, opened as %d", err, got.Revision)
	}
	for _, value := range []string{"0", "-1", `"1"`, "null", "1.5"} {
		body := strings.Replace(payload, `,"data"`, `,"rev":`+value+`,"data"`, 1)
		if _, err := h.Open(h.envelope(h.signed(body, session), session), session); !errors.Is(err, token.ErrClaims) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestReauthHasOneForm(t *testing.T) {
	h := newHolder(t)
	for value, want := range map[string]error{
		`"2025-11-24T16:00:00Z"`: nil, `"9999-12-31T23:59:59Z"`: nil,
		`"1970-01-01T00:00:00Z"`: token.ErrClaims, `"2025-11-24T16:00:00.000Z"`: token.ErrClaims, `"2025-11-24T16:00:00+00:00"`: token.ErrClaims,
		`""`: token.ErrClaims, "null": token.ErrClaims, "1764000000": token.ErrClaims, "true": token.ErrClaims,
		`"2025-11-24T16:00:00Z","reauth_time":""`: token.ErrMalformed,
	} {
		body := strings.Replace(payload, `,"data"`, `,"reauth_time":`+value+`,"data"`, 1)
		if _, err := h.Open(h.envelope(h.signed(body, session), session), session); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", value, err, want)
		}
	}
}
