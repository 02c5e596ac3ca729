package paseto

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/strictjson"
	"github.com/carnet-go/carnet/token"
)

// claims is the payload. The times are RFC 3339 in one form each, always in UTC;
// auth_time, the login, has microseconds, because it is compared with the moment
// of a "log out everywhere". reauth_time is there only if the user has proved again
// who he is.
type claims struct {
	Issuer    string         `json:"iss"`
	Subject   string         `json:"sub"`
	Audience  string         `json:"aud"`
	ExpiresAt string         `json:"exp"`
	NotBefore jsontext.Value `json:"nbf,omitzero"` // never written; a token that has one is not ours
	IssuedAt  string         `json:"iat"`
	ID        string         `json:"jti"`
	SessionID string         `json:"sid"`
	StartedAt string         `json:"auth_time"`
	EndsAt    string         `json:"ends"`
	Reauth    jsontext.Value `json:"reauth_time,omitzero"`
	Revision  jsontext.Value `json:"rev,omitzero"`
	Overflow  jsontext.Value `json:"ovf,omitzero"`
	Data      jsontext.Value `json:"data"`
}

const (
	toSecond      = "2006-01-02T15:04:05Z"
	toMicrosecond = "2006-01-02T15:04:05.000000Z"
)

var (
	errIncomplete = errors.New("the claims lack a purpose that is known, an issuer, audience, subject, id or session id")
	errTime       = errors.New("a time is outside the years 1970 to 9999")
	errJSON       = errors.New("the claims can't be written as JSON") // the cause may quote them
)

func encodeClaims(c token.Claims) ([]byte, error) {
	if !known(c.Purpose) || hasEmpty(c.Issuer, c.Audience, c.Subject, c.ID, c.SessionID) {
		return nil, errIncomplete
	}
	for _, t := range [...]time.Time{c.StartedAt, c.IssuedAt, c.ExpiresAt, c.EndsAt} {
		if !inRange(t) {
			return nil, errTime
		}
	}
	if t := c.AuthenticatedAt; !t.IsZero() && !inRange(t) {
		return nil, errTime
	}
	if c.Overflow != "" && (!strictjson.IsRef(c.Overflow) || c.Raw != "null") {
		return nil, errJSON
	}
	payload, err := json.Marshal(claims{
		Issuer:    c.Issuer,
		Subject:   c.Subject,
		Audience:  c.Audience,
		ExpiresAt: c.ExpiresAt.UTC().Format(toSecond),
		IssuedAt:  c.IssuedAt.UTC().Format(toSecond),
		ID:        c.ID,
		SessionID: c.SessionID,
		StartedAt: c.StartedAt.UTC().Format(toMicrosecond),
		EndsAt:    c.EndsAt.UTC().Format(toSecond),
		Reauth:    encodeReauth(c.AuthenticatedAt),
		Revision:  strictjson.EncodeCount(c.Revision),
		Overflow:  strictjson.EncodeRef(c.Overflow),
		Data:      jsontext.Value(c.Raw),
	}, jsontext.PreserveRawStrings(true))
	if err != nil {
		return nil, errJSON
	}
	if err := strictjson.Check(payload); err != nil {
		return nil, err
	}
	return payload, nil
}

// decodeClaims reads a genuine payload. It keeps none of its memory.
func decodeClaims(payload []byte, b token.Binding) (token.Claims, error) {
	var p claims
	if strictjson.Unmarshal(payload, &p) != nil {
		return token.Claims{}, token.ErrMalformed
	}
	started, ok1 := parseTime(p.StartedAt, toMicrosecond)
	issued, ok2 := parseTime(p.IssuedAt, toSecond)
	expires, ok3 := parseTime(p.ExpiresAt, toSecond)
	ends, ok4 := parseTime(p.EndsAt, toSecond)
	reauth, ok5 := decodeReauth(p.Reauth)
	revision, ok6 := strictjson.DecodeCount(p.Revision)
	overflow, ok7 := strictjson.DecodeRef(p.Overflow)
	switch {
	case !ok1, !ok2, !ok3, !ok4, !ok5, !ok6, !ok7,
		overflow != "" && string(p.Data) != "null",
		hasEmpty(p.Issuer, p.Audience, p.Subject, p.ID, p.SessionID),
		p.Issuer != b.Issuer, p.Audience != b.Audience,
		p.NotBefore != nil, p.Data == nil:
		return token.Claims{}, token.ErrClaims
	}
	return token.Claims{
		Binding:   b,
		ID:        p.ID,
		SessionID: p.SessionID,
		Subject:   p.Subject,
		StartedAt: started,
		IssuedAt:  issued,
		ExpiresAt: expires,
		EndsAt:    ends,
		Raw:       string(p.Data),

		AuthenticatedAt: reauth,
		Revision:        revision,
		Overflow:        overflow,
	}, nil
}

// encodeReauth returns nothing for the zero time, so that a token without it has
// not a byte more.
func encodeReauth(t time.Time) jsontext.Value {
	if t.IsZero() {
		return nil
	}
	return jsontext.Value(t.UTC().Format(`"` + toSecond + `"`))
}

func decodeReauth(v jsontext.Value) (t time.Time, ok bool) {
	if v == nil {
		return time.Time{}, true
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return time.Time{}, false
	}
	return parseTime(s, toSecond)
}

func known(p token.Purpose) bool {
	return p == token.PurposeSession || p == token.PurposeRefresh || p == token.PurposeChallenge
}

func hasEmpty(ss ...string) bool {
	for _, s := range ss {
		if s == "" {
			return true
		}
	}
	return false
}

// inRange keeps to what RFC 3339 can say and any clock can have shown.
func inRange(t time.Time) bool { return t.Unix() > 0 && t.UTC().Year() <= 9999 }

// parseTime takes the one form in which layout writes a time. Go's parser takes
// many more.
func parseTime(s, layout string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !inRange(t) {
		return time.Time{}, false
	}
	var form [len(toMicrosecond)]byte
	return t, string(t.AppendFormat(form[:0], layout)) == s
}
