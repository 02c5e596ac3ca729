package jose

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carnet-go/carnet/internal/strictjson"
	"github.com/carnet-go/carnet/token"
)

// errClaims hides its cause, which may quote the claims.
var errClaims = errors.New("the claims can't be written as JSON")

// appendClaims appends the payload of a JWT to dst, in the order of the fields of
// claims. It is written out because to find the fields by reflection would take
// a tenth of the time of a signature.
func appendClaims(dst []byte, c *token.Claims) ([]byte, error) {
	start := len(dst)
	for _, m := range [...]struct{ before, value string }{
		{`{"iss":`, c.Issuer}, {`,"aud":`, c.Audience}, {`,"sub":`, c.Subject}, {`,"sid":`, c.SessionID}, {`,"jti":`, c.ID},
	} {
		var err error
		if dst, err = jsontext.AppendQuote(append(dst, m.before...), m.value); err != nil {
			return nil, errClaims
		}
	}
	dst = strconv.AppendInt(append(dst, `,"auth_us":`...), c.StartedAt.UnixMicro(), 10)
	dst = strconv.AppendInt(append(dst, `,"iat":`...), c.IssuedAt.Unix(), 10)
	dst = strconv.AppendInt(append(dst, `,"exp":`...), c.ExpiresAt.Unix(), 10)
	dst = strconv.AppendInt(append(dst, `,"end":`...), c.EndsAt.Unix(), 10)
	if !c.AuthenticatedAt.IsZero() {
		dst = strconv.AppendInt(append(dst, `,"reauth":`...), c.AuthenticatedAt.Unix(), 10)
	}
	if c.Revision != 0 {
		dst = strconv.AppendInt(append(dst, `,"rev":`...), c.Revision, 10)
	}
	if c.Overflow != "" {
		if !strictjson.IsRef(c.Overflow) || c.Raw != "null" {
			return nil, errClaims
		}
		dst = append(append(append(dst, `,"ovf":"`...), c.Overflow...), '"')
	}
	dst, err := c.AppendRaw(append(dst, `,"data":`...))
	if err != nil {
		return nil, errClaims
	}
	dst = append(dst, '}')
	return dst, strictjson.Check(dst[start:])
}
