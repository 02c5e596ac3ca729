package jose

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/strictjson"
	"github.com/carnet-go/carnet/token"
)

// claims is the payload of a JWT as it is read; appendClaims writes the same. iat, exp and end are seconds since 1970;
// auth_us, the time of the login, is microseconds, because it is compared with
// the moment of a "log out everywhere". reauth is seconds, and there only if the
// user has proved again who he is.
type claims struct {
	Issuer    string         `json:"iss"`
	Audience  string         `json:"aud"`
	Subject   string         `json:"sub"`
	SessionID string         `json:"sid"`
	ID        string         `json:"jti"`
	StartedAt int64          `json:"auth_us"`
	IssuedAt  int64          `json:"iat"`
	ExpiresAt int64          `json:"exp"`
	EndsAt    int64          `json:"end"`
	Reauth    jsontext.Value `json:"reauth,omitzero"`
	Revision  jsontext.Value `json:"rev,omitzero"`
	Overflow  jsontext.Value `json:"ovf,omitzero"`
	NotBefore jsontext.Value `json:"nbf,omitzero"` // never written; a token that has one is not ours
	Data      jsontext.Value `json:"data"`
}

func decodeReauth(v jsontext.Value) (t time.Time, ok bool) {
	if v == nil {
		return time.Time{}, true
	}
	var n int64
	if json.Unmarshal(v, &n) != nil || n <= 0 || n > lastSecond {
		return time.Time{}, false
	}
	return time.Unix(n, 0).UTC(), true
}

// lastSecond is the end of the year 9999: what RFC 3339 can still say.
const lastSecond = 253402300799

func decodeClaims(payload []byte) (token.Claims, error) {
	if strictjson.Check(payload) != nil {
		return token.Claims{}, token.ErrMalformed
	}
	var p claims
	raw, ok := p.scan(payload)
	if !ok {
		p = claims{}
		if json.Unmarshal(payload, &p) != nil {
			return token.Claims{}, token.ErrMalformed
		}
		raw = string(p.Data)
	}
	if p.NotBefore != nil || p.Data == nil || p.StartedAt <= 0 || p.StartedAt > lastSecond*1e6 {
		return token.Claims{}, token.ErrClaims
	}
	for _, t := range [...]int64{p.IssuedAt, p.ExpiresAt, p.EndsAt} {
		if t <= 0 || t > lastSecond {
			return token.Claims{}, token.ErrClaims
		}
	}
	reauth, ok := decodeReauth(p.Reauth)
	revision, ok2 := strictjson.DecodeCount(p.Revision)
	overflow, ok3 := strictjson.DecodeRef(p.Overflow)
	if !ok || !ok2 || !ok3 || overflow != "" && raw != "null" {
		return token.Claims{}, token.ErrClaims
	}
	return token.Claims{
		Binding:   token.Binding{Issuer: p.Issuer, Audience: p.Audience},
		ID:        p.ID,
		SessionID: p.SessionID,
		Subject:   p.Subject,
		StartedAt: time.UnixMicro(p.StartedAt).UTC(),
		IssuedAt:  time.Unix(p.IssuedAt, 0).UTC(),
		ExpiresAt: time.Unix(p.ExpiresAt, 0).UTC(),
		EndsAt:    time.Unix(p.EndsAt, 0).UTC(),
		Raw:       raw,

		AuthenticatedAt: reauth,
		Revision:        revision,
		Overflow:        overflow,
	}, nil
}
