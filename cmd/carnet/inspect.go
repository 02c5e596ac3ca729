package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
	"github.com/carnet-go/carnet/token"
)

type inspectVerb struct {
	policy
	bound      bool // issuer and audience were given
	showClaims bool
	json       bool
}

func newInspectCmd() *cobra.Command {
	v := new(inspectVerb)
	cmd := &cobra.Command{
		Use:   "inspect --ring RING [--issuer I --audience A] [TOKEN]",
		Short: "Show what is in a token, and whether and why it would be accepted",
		Long: `Show what is in a token, and whether and why it would be accepted. RING may be a
verify-only ring. Without --issuer and --audience these two are not compared; a
PASETO token can't be opened without them.

Give the token on standard input. As an argument it ends up in the history of the
shell and in the list of processes, and whoever has it is the subject.

Who it is about and what it carries is shown with --show-claims only. The exit
code is 0 if the token would be accepted. Whether its session was revoked is not
asked: that is known to the service.`,
		Example: "  carnet inspect --ring ring.json --issuer example.com --audience web < token",
		Args:    v.args,
		RunE:    v.run,
	}
	v.addFlags(cmd)
	v.addLeeway(cmd)
	cmd.Flags().BoolVar(&v.showClaims, "show-claims", false, "show subject, ids and session data too")
	cmd.Flags().BoolVar(&v.json, "json", false, "print an object")
	cmd.MarkFlagsRequiredTogether("issuer", "audience")
	return cmd
}

// args tells the name of a ring from a token, whose place is after the flags.
func (v *inspectVerb) args(cmd *cobra.Command, args []string) error {
	named := cmd.Flags().Changed("ring")
	switch {
	case len(args) > 1:
		return usageError("%d arguments are too many: it is one token, better on standard input", len(args))
	case !named && len(args) == 1 && !isToken(args[0]):
		return usageError("the argument is no token; if it is the ring, say --ring before it")
	case !named && os.Getenv(ringVariable) == "":
		return usageError("which ring? Name it with --ring, or set %s", ringVariable)
	}
	return nil
}

func (v *inspectVerb) run(cmd *cobra.Command, args []string) error {
	v.bound = cmd.Flags().Changed("issuer")
	config, err := v.config()
	if err != nil {
		return err
	}
	opener, set, err := openAny(cmd.Context(), v.ring)
	if err != nil {
		return err
	}
	tok, err := readToken(cmd, args)
	if err != nil {
		return err
	}
	found, err := v.inspect(opener, set, config, tok)
	if err != nil {
		return err
	}
	if err := v.print(cmd.OutOrStdout(), found); err != nil {
		return err
	}
	if !found.OK {
		return errors.New("the token would be rejected")
	}
	return nil
}

// config is the policy, with stand-ins for the names that are not compared.
func (v *inspectVerb) config() (token.Config, error) {
	p := v.policy
	if !v.bound {
		p.issuer, p.audience = "any", "any"
	}
	return p.config()
}

func readToken(cmd *cobra.Command, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	in := cmd.InOrStdin()
	if f, ok := in.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			fmt.Fprintln(cmd.ErrOrStderr(), "paste the token, then press Enter and Ctrl-D")
		}
	}
	b, err := io.ReadAll(io.LimitReader(in, maxLine))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	return string(bytes.TrimSuffix(b, []byte("\n"))), nil
}

// inspect returns an error if the answer could not be found.
func (v *inspectVerb) inspect(opener token.Opener, set *keys.Set, config token.Config, tok string) (*finding, error) {
	f := outside(tok, set)
	f.BindingCompared = v.bound
	binding := token.Binding{Purpose: token.PurposeSession, Issuer: v.issuer, Audience: v.audience}
	c, err := opener.Open(tok, binding)
	if err == nil {
		f.add(c, v.showClaims)
		err = v.judge(opener, config, c, tok)
	}
	if err != nil && !errors.Is(err, token.ErrInvalid) {
		return nil, fmt.Errorf("could not tell: %w", err)
	}
	if f.Format == keys.PASETO && !v.bound && reason(err) == token.ErrInvalid.Error() {
		return nil, usageError("the token is a PASETO of key %s, which can't be opened without --issuer and --audience", f.Key)
	}
	f.conclude(err)
	return f, nil
}

// judge is what a verifier with this policy says.
func (v *inspectVerb) judge(opener token.Opener, config token.Config, c token.Claims, tok string) error {
	if !v.bound {
		config.Issuer, config.Audience = c.Issuer, c.Audience
		if usable(config) != nil {
			return token.ErrClaims // no verifier can have such names
		}
	}
	_, err := token.NewVerifier[struct{}](opener, config).Verify(tok)
	return err
}
