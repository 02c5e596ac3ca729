package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/internal/strictjson"
	"github.com/carnet-go/carnet/token"
)

type issueVerb struct {
	policy
	subject string
	data    string
}

func newIssueCmd() *cobra.Command {
	v := new(issueVerb)
	cmd := &cobra.Command{
		Use:   "issue --ring RING --issuer I --audience A --subject S",
		Short: "Mint a token, for scripts and tests",
		Long: `Mint the first token of a new session and print it on standard output. Whoever
has it is the subject until it expires or the session is revoked.

--data is a JSON value. It is kept to the last digit; only white space between
its parts is dropped.`,
		Example: "  carnet issue --ring ring.json --issuer example.com --audience web --subject alice --data '{\"Name\":\"Alice\"}'",
		Args:    noArgs("name the ring with --ring, and what is in the token with the other flags"),
		RunE:    v.run,
	}
	v.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&v.subject, "subject", "", "whose session it is")
	f.StringVar(&v.data, "data", "{}", "session data, as `JSON`")
	f.DurationVar(&v.lifetime, "lifetime", 30*time.Minute, "how long the token lives")
	require(cmd, "issuer", "audience", "subject")
	return cmd
}

func (v *issueVerb) run(cmd *cobra.Command, _ []string) error {
	config, err := v.check()
	if err != nil {
		return err
	}
	p, err := placeOf([]string{v.ring})
	if err != nil {
		return err
	}
	set, err := p.load(cmd.Context())
	if err != nil {
		return err
	}
	ring, err := set.Ring()
	if err != nil {
		return err
	}
	if limit := set.Policy().TokenLife; v.lifetime > limit {
		return advise(fmt.Errorf("issue token: the ring keeps retired keys for tokens that live %v, not %v", limit, v.lifetime),
			"ask for a shorter --lifetime, or make a ring with a longer --token-life")
	}
	tok, _, err := token.NewIssuer[jsontext.Value](ring, config).Issue(v.subject, jsontext.Value(v.data))
	if err != nil {
		return err
	}
	return printAll(cmd.OutOrStdout(), []byte(tok+"\n"))
}

func (v *issueVerb) check() (token.Config, error) {
	config, err := v.config()
	if err != nil {
		return config, err
	}
	if v.lifetime > v.maxAge {
		return config, usageError("a token can't live for %v in a session that ends after %v: see --max-age", v.lifetime, v.maxAge)
	}
	if !named(v.subject) {
		return config, usageError("--subject must be 1 to 255 bytes of printable text")
	}
	return config, checkData([]byte(v.data))
}

// named reports whether token takes s as a subject.
func named(s string) bool {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	return s != "" && len(s) <= 255 && utf8.ValidString(s) && !strings.ContainsFunc(s, hidden)
}

// checkData does not quote the data: it is a claim.
func checkData(data []byte) error {
	var v jsontext.Value
	if err := strictjson.CheckMember(data); err != nil {
		return usageError("--data can't be put into a token: %v", err)
	}
	if err := strictjson.Unmarshal(data, &v); err != nil {
		return usageError("--data is not strict JSON: one value, UTF-8, no name twice in an object")
	}
	return nil
}
