package main

import (
	"errors"
	"strings"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

// reasons are the members of the family; the bare token.ErrInvalid is what is
// left.
var reasons = []error{
	token.ErrMalformed, token.ErrTooLarge, token.ErrBinding, token.ErrClaims,
	token.ErrExpired, token.ErrNotYet, token.ErrData,
	keys.ErrUnknownKey, keys.ErrRevokedKey,
}

// reason says why a token is not believed, in the fixed words of the error and
// never in those of the token.
func reason(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r) {
			return strings.TrimPrefix(r.Error(), token.ErrInvalid.Error()+": ")
		}
	}
	return token.ErrInvalid.Error()
}
