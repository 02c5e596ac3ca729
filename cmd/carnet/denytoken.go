package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/revocation"
	"github.com/carnet-go/carnet/token"
)

// A denyToken denies the session of a token.
type denyToken struct {
	denial
	given    bool // --token
	ring     string
	issuer   string
	audience string
}

func (d *denyToken) addFlags(cmd *cobra.Command) {
	d.addCommonFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&d.given, "token", false, "deny the session of a token, from standard input")
	f.StringVar(&d.ring, "ring", "", "file of the ring that opens the token; it may be a verify-only ring")
	f.StringVar(&d.issuer, "issuer", "", "who minted the token; required for PASETO")
	f.StringVar(&d.audience, "audience", "", "who was to accept it; required for PASETO")
	cmd.MarkFlagsRequiredTogether("issuer", "audience")
	cmd.MarkFlagsRequiredTogether("token", "ring")
}

func (d *denyToken) run(cmd *cobra.Command, args []string) error {
	opener, set, err := openAny(cmd.Context(), d.ring)
	if err != nil {
		return err
	}
	tok, err := readToken(cmd, args)
	if err != nil {
		return err
	}
	c, err := d.claims(opener, set, strings.TrimSpace(tok))
	if err != nil {
		return err
	}
	if end := revocation.Session(c).Until; time.Now().After(end) {
		fmt.Fprintf(cmd.ErrOrStderr(), "the session ended by itself at %s: nothing is left to deny\n", stamp(c.EndsAt))
		return nil
	}
	marks := []revocation.Mark{revocation.Session(c)}
	c.SessionID = c.Successor() // an elevation that is under way, on any node, must not go through
	marks = append(marks, revocation.Session(c))
	for i := range marks {
		if marks[i], err = d.signed(marks[i]).Normalize(); err != nil {
			return usageError("%v", err)
		}
	}
	return d.deny(cmd, marks)
}

// claims opens the token and asks no clock: an expired one may have been renewed.
func (d *denyToken) claims(opener token.Opener, set *keys.Set, tok string) (token.Claims, error) {
	c, err := opener.Open(tok, token.Binding{Purpose: token.PurposeSession, Issuer: d.issuer, Audience: d.audience})
	switch {
	case err == nil:
		return c, nil
	case !errors.Is(err, token.ErrInvalid):
		return c, fmt.Errorf("could not open the token: %w", err)
	case d.issuer == "" && outside(tok, set).Format == keys.PASETO:
		return c, usageError("the token is a PASETO, which can't be opened without --issuer and --audience")
	}
	return c, advise(fmt.Errorf("the token can't be opened: %s", reason(err)),
		"see what it is: carnet inspect --ring %s; or deny by name: carnet deny subject", shell(d.ring))
}
