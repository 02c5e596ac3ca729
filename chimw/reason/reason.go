// Package reason gives the errors that packages chimw and refresh report a word each,
// for logs and counters.
//
//	sessions := chimw.New(issuer, chimw.Config{Report: reason.Log(slog.Default())})
//
// There are few words, and none has a token, a claim or a secret in it, so they can
// be labels of a metric:
//
//	Report: func(r *http.Request, err error) { refused.WithLabelValues(string(reason.Of(err))).Inc() }
//
// The client is told none of them. docs/reasons.md has what each means, and the
// answer to it.
package reason

import (
	"errors"
	"net/http"

	"github.com/carnet-go/carnet/chimw"
	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/revocation/freshness"
	"github.com/carnet-go/carnet/token"
)

// A Reason is why a request had no session, or was refused.
type Reason string

const (
	NoToken     Reason = "no token"
	TwoTokens   Reason = "two tokens"
	CrossOrigin Reason = "cross-origin"

	TooLarge     Reason = "too large"
	Malformed    Reason = "malformed"
	UnknownKey   Reason = "unknown key"
	RevokedKey   Reason = "revoked key"
	NotAuthentic Reason = "not authentic"

	OtherBinding   Reason = "other binding"
	UnusableClaims Reason = "unusable claims"
	UnusableData   Reason = "unusable data"
	NotYet         Reason = "not yet"
	Expired        Reason = "expired"
	Idle           Reason = "idle"

	RevokedSession  Reason = "revoked by session"
	RevokedSubject  Reason = "revoked by subject"
	RevokedAudience Reason = "revoked by audience"
	RevokedByKey    Reason = "revoked by key"
	RevokedEveryone Reason = "revoked by everyone"
	Revoked         Reason = "revoked" // by a list that does not say by what

	NotFresh  Reason = "not fresh"
	NotLatest Reason = "not latest"

	Reused    Reason = "reused"
	Forgotten Reason = "forgotten"

	DataLost    Reason = "data lost"
	DataAltered Reason = "data altered"

	ViewTooOld   Reason = "view too old"
	CouldNotTell Reason = "could not tell"
)

// named are the errors that stand for one reason each.
var named = []struct {
	err    error
	reason Reason
}{
	{chimw.ErrNoToken, NoToken},
	{chimw.ErrTwoTokens, TwoTokens},
	{chimw.ErrCrossOrigin, CrossOrigin},
	{token.ErrTooLarge, TooLarge},
	{token.ErrMalformed, Malformed},
	{keys.ErrUnknownKey, UnknownKey},
	{keys.ErrRevokedKey, RevokedKey},
	{token.ErrBinding, OtherBinding},
	{token.ErrClaims, UnusableClaims},
	{token.ErrData, UnusableData},
	{token.ErrNotYet, NotYet},
	{token.ErrExpired, Expired},
}

// Of returns the reason that an error stands for. It is CouldNotTell for an error
// that says nothing about the token.
func Of(err error) Reason {
	var worded interface{ Reason() string }
	if errors.As(err, &worded) {
		switch r := Reason(worded.Reason()); r {
		case Idle, NotFresh, NotLatest, Reused, Forgotten, DataLost, DataAltered:
			return r
		}
	}
	for _, n := range named {
		if errors.Is(err, n.err) {
			return n.reason
		}
	}
	return rest(err)
}

func rest(err error) Reason {
	var revoked *revocation.RevokedError
	var stale *freshness.StaleError
	switch {
	case errors.As(err, &revoked):
		return revokedBy(revoked.Mark)
	case errors.Is(err, revocation.ErrRevoked):
		return Revoked
	case errors.Is(err, token.ErrInvalid):
		return NotAuthentic
	case errors.As(err, &stale):
		return ViewTooOld
	}
	return CouldNotTell
}

// revokedBy names the axis of a mark, if it is one of those that there are.
func revokedBy(m revocation.Mark) Reason {
	switch r := Reason("revoked by " + string(m.Axis)); r {
	case RevokedSession, RevokedSubject, RevokedAudience, RevokedByKey, RevokedEveryone:
		return r
	}
	return Revoked
}

// Status returns the status that Require answers with: 401, 403 or 503.
func (r Reason) Status() int {
	switch r {
	case CrossOrigin:
		return http.StatusForbidden
	case ViewTooOld, CouldNotTell:
		return http.StatusServiceUnavailable
	}
	return http.StatusUnauthorized
}
