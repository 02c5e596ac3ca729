package main

import (
	"crypto/fips140"
	"fmt"
	"time"

	"github.com/carnet-go/carnet/keys"
)

// An outcome is what a verifier must say of a token.
type outcome string

const (
	accept     outcome = "accept"
	invalid    outcome = "invalid" // the bare family: it does not decrypt, or its signature does not hold
	malformed  outcome = "malformed"
	tooLarge   outcome = "too-large"
	binding    outcome = "binding"
	claims     outcome = "claims"
	expired    outcome = "expired"
	notYet     outcome = "not-yet"
	unknownKey outcome = "unknown-key"
	revokedKey outcome = "revoked-key"
)

// An entry is a token with the outcome in its name.
type entry struct {
	name string
	want outcome
	tok  string
}

// A list is a corpus in the making.
type list struct {
	format   keys.Format
	entries  []entry
	outcomes map[string]outcome // by token
}

// add leaves a token out that is there already: some faults come to the same.
func (l *list) add(name string, want outcome, tok string) {
	if before, ok := l.outcomes[tok]; ok {
		if before != want {
			panic(fmt.Sprintf("%s: the same token is %s elsewhere", name, before))
		}
		return
	}
	l.outcomes[tok] = want
	l.entries = append(l.entries, entry{fmt.Sprintf("%s/%s.%s", l.format, name, want), want, tok})
}

// mint returns the corpus of a format for verification around the moment now.
func mint(f keys.Format, now time.Time) (entries []entry, err error) {
	l := &list{format: f, outcomes: map[string]outcome{}}
	// No approved program would choose its nonces, as this one does.
	fips140.WithoutEnforcement(func() {
		switch f {
		case keys.JWT:
			addJWTs(l, now)
		case keys.PASETO:
			addPASETOs(l, now)
		default:
			err = fmt.Errorf("unknown format %q", string(f))
		}
	})
	return l.entries, err
}
