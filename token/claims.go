package token

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Purpose says what kind of token it is. It is bound into the token (the typ
// of a JWT, the implicit assertion of a PASETO), so that one kind can't stand in
// for another.
type Purpose string

const (
	PurposeSession   Purpose = "session"   // presented with each request
	PurposeRefresh   Purpose = "refresh"   // presented only to get a session token
	PurposeChallenge Purpose = "challenge" // proves that a client holds a key
)

// A Binding is what a token is good for. All three must match exactly.
type Binding struct {
	Purpose  Purpose
	Issuer   string // who minted it, iss
	Audience string // who is to accept it, aud
}

// Claims are what a token says. They print as a placeholder with every fmt verb
// and in slog, so that none of them reaches a log by accident. Two ways out are
// open: JSON and other encodings, which is how a program shows them on purpose;
// and fmt of a struct of yours that has them in an unexported field, which fmt
// prints without asking them.
type Claims struct {
	Binding

	ID        string // this token, jti: 128 random bits
	SessionID string // the session, sid: 128 random bits that survive renewal; what a denylist names
	Subject   string // who logged in, sub
	KeyID     string // the key it was sealed with, kid; [Opener.Open] sets it, [Sealer.Seal] ignores it

	StartedAt time.Time // the login, to the microsecond; renewal never moves it
	IssuedAt  time.Time // this token, iat, in whole seconds
	ExpiresAt time.Time // this token, exp, in whole seconds
	EndsAt    time.Time // the last moment that any renewal can reach, in whole seconds

	// AuthenticatedAt is when the user last proved who he is, in whole seconds, if
	// that was not at StartedAt. Zero means at StartedAt.
	AuthenticatedAt time.Time

	// Revision counts the changes of the session data; zero at the login. Of two
	// tokens of a session the one with the lower Revision has older data.
	Revision int64

	// Raw is the session data, a JSON value. A renewal keeps each value in it that
	// it does not change, byte for byte but for white space.
	Raw string

	// Overflow refers to session data that did not fit, up to 128 characters of
	// base64url. Then the token has null in the place of Raw; see [Issuer.Spilling]
	// and [Verifier.VerifyWith]. It can be a secret. Empty means that the token has
	// the data.
	Overflow string

	encoded *string // Raw, while the Issuer that has just written it has it sealed
}

// AppendRaw appends Raw to dst, without white space, or returns an error if it is not
// one JSON value whose objects have no name twice. It is for a [Sealer].
func (c *Claims) AppendRaw(dst []byte) ([]byte, error) {
	if c.encoded != nil && *c.encoded == c.Raw {
		return append(dst, c.Raw...), nil
	}
	dst, err := jsontext.AppendFormat(dst, c.Raw, jsontext.PreserveRawStrings(true))
	if err != nil {
		return nil, errRaw
	}
	return dst, nil
}

// errRaw hides its cause, which may quote the data.
var errRaw = errors.New("the session data is not JSON")

// Fresh reports whether the user has proved who he is within the last d, by this
// machine's clock. Clocks get no leeway here: one that is behind the clock of the
// login makes d longer by as much, one that is ahead makes it shorter.
func (c *Claims) Fresh(d time.Duration) bool {
	at := c.AuthenticatedAt
	if at.IsZero() {
		at = c.StartedAt
	}
	return time.Now().Before(at.Add(d))
}

// Format prints a placeholder, whatever the verb.
func (Claims) Format(f fmt.State, _ rune) { io.WriteString(f, "token.Claims(redacted)") }

// LogValue gives slog the same placeholder.
func (Claims) LogValue() slog.Value { return slog.StringValue("token.Claims(redacted)") }

// An Opener reads tokens. A node that holds only an Opener cannot mint.
type Opener interface {
	// Open returns the claims that tok was sealed with. It must return an error
	// wrapping [ErrInvalid] if tok is not to be believed, or if it was sealed for
	// another purpose; any other error means that the Opener itself failed. It
	// may leave issuer and audience to the caller, who compares the claims.
	Open(tok string, b Binding) (Claims, error)
}

// A Sealer mints tokens. Whoever can mint can also read.
type Sealer interface {
	Opener

	// Seal mints a token that says c. It does not judge the claims.
	Seal(c Claims) (tok string, err error)
}
