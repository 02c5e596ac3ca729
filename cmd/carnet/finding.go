package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/jose"
	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// A finding is what inspect knows about a token. What is about a person is there
// only if it was asked for.
type finding struct {
	OK              bool        `json:"ok"`
	Reason          string      `json:"reason"`           // empty if OK
	BindingCompared bool        `json:"binding_compared"` // with --issuer and --audience
	Size            int         `json:"size"`             // bytes of the token, as far as it was read
	Format          keys.Format `json:"format,omitzero"`
	Key             string      `json:"key,omitzero"`       // as the token says
	KeyState        string      `json:"key_state,omitzero"` // "absent" if the ring lacks it; a verify-only ring does not tell

	// The rest is known of a token that opens.
	Issuer    string    `json:"issuer,omitzero"`
	Audience  string    `json:"audience,omitzero"`
	StartedAt time.Time `json:"started_at,omitzero"`
	IssuedAt  time.Time `json:"issued_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	EndsAt    time.Time `json:"ends_at,omitzero"`
	ReauthAt  time.Time `json:"reauthenticated_at,omitzero"` // zero if that was the login
	DataSize  int       `json:"data_size,omitzero"`          // bytes of the session data, if the token has it
	DataAway  bool      `json:"data_in_store,omitzero"`      // where the token refers to it

	Claims *shownClaims `json:"claims,omitzero"`
}

type shownClaims struct {
	Subject   string         `json:"subject"`
	SessionID string         `json:"session_id"`
	ID        string         `json:"id"`
	Data      jsontext.Value `json:"data"`
}

// outside finds what a token shows to everybody.
func outside(tok string, set *keys.Set) *finding {
	f := &finding{Size: len(tok)}
	if l, ok := jose.Label(tok); ok {
		f.Format = keys.JWT
		f.Key, _ = jose.LabelID(l)
	} else if l, ok := paseto.Label(tok); ok {
		f.Format = keys.PASETO
		f.Key, _ = paseto.LabelID(l)
	}
	for _, k := range keysOf(set) {
		if k.ID == f.Key {
			f.KeyState = k.State
		}
	}
	return f
}

// add notes the claims of a token that opened.
func (f *finding) add(c token.Claims, show bool) {
	f.Key, f.Issuer, f.Audience = c.KeyID, c.Issuer, c.Audience
	f.StartedAt, f.IssuedAt, f.ExpiresAt, f.EndsAt = c.StartedAt, c.IssuedAt, c.ExpiresAt, c.EndsAt
	f.ReauthAt, f.DataSize, f.DataAway = c.AuthenticatedAt, len(c.Raw), c.Overflow != ""
	if f.DataAway {
		f.DataSize = 0 // and how it refers is a secret
	}
	if show {
		f.Claims = &shownClaims{c.Subject, c.SessionID, c.ID, jsontext.Value(c.Raw)}
	}
}

// conclude notes the verdict; err is nil or of the family of token.ErrInvalid.
func (f *finding) conclude(err error) {
	switch {
	case err == nil:
		f.OK = true
		return
	case errors.Is(err, keys.ErrUnknownKey):
		f.KeyState = absent
	case errors.Is(err, keys.ErrRevokedKey):
		f.KeyState = "revoked"
	}
	f.Reason = reason(err)
}

func (v *inspectVerb) print(w io.Writer, f *finding) error {
	if v.json {
		return printJSON(w, f)
	}
	verdict := "accept"
	if !f.OK {
		verdict = "reject " + f.Reason
	}
	size := fmt.Sprintf("%d bytes", f.Size)
	if f.Size >= maxLine {
		size = "at least " + size // no more was read
	}
	rows := []string{"verdict\t" + verdict, "size\t" + size}
	if f.Format != "" {
		rows = append(rows, "format\t"+string(f.Format), "key\t"+f.Key, "key state\t"+cmp.Or(f.KeyState, "not told by a verify-only ring"))
	}
	if !f.IssuedAt.IsZero() {
		rows = append(rows, f.inside()...)
	}
	return printTable(w, rows...)
}

// inside prints the claims. Names are quoted: they could steer a terminal.
func (f *finding) inside() []string {
	compared := " (not compared)"
	if f.BindingCompared {
		compared = ""
	}
	rows := []string{
		"issuer\t" + strconv.Quote(f.Issuer) + compared,
		"audience\t" + strconv.Quote(f.Audience) + compared,
		"session started\t" + when(f.StartedAt),
		"issued\t" + when(f.IssuedAt),
		"expires\t" + when(f.ExpiresAt),
		"session ends\t" + when(f.EndsAt),
	}
	if !f.ReauthAt.IsZero() {
		rows = append(rows, "authenticated again\t"+when(f.ReauthAt))
	}
	subject, session, id, data := "redacted", "redacted", "redacted", "redacted"
	if c := f.Claims; c != nil {
		subject, session, id = strconv.Quote(c.Subject), strconv.Quote(c.SessionID), strconv.Quote(c.ID)
		data = visible(string(c.Data))
	}
	rows = append(rows, "subject\t"+subject, "session id\t"+session, "token id\t"+id)
	if f.DataAway {
		return append(rows, "data\tin the overflow store, to which the token refers")
	}
	return append(rows, fmt.Sprintf("data (%d bytes)\t%s", f.DataSize, data))
}

// when prints a moment and how far it is from now.
func when(t time.Time) string {
	if d := time.Since(t); d >= 0 {
		return stamp(t) + " (" + ago(d) + " ago)"
	}
	return stamp(t) + " (in " + ago(time.Until(t)) + ")"
}

// visible quotes s if some of it would not show.
func visible(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return strconv.Quote(s)
		}
	}
	return s
}
