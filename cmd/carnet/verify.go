package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/token"
)

type verifyVerb struct {
	policy
	base64 bool
	json   bool
}

func newVerifyCmd() *cobra.Command {
	v := new(verifyVerb)
	cmd := &cobra.Command{
		Use:   "verify --ring RING --issuer I --audience A",
		Short: "Say of each token on standard input whether it is to be believed",
		Long: `Read tokens from standard input, one a line, and answer each with a line that
begins with "accept" or "reject" and says why. A line ends at LF; everything
before it is the token, a CR included. RING may be a verify-only ring.

With --base64 each line is the standard base64 of a token's bytes.

Whether a session was revoked is not asked: that is known to the service.`,
		Example: "  carnet verify --ring verify.json --issuer example.com --audience web < tokens",
		Args:    noArgs("name the ring with --ring; tokens come on standard input, one a line"),
		RunE:    v.run,
	}
	v.addFlags(cmd)
	v.addLeeway(cmd)
	cmd.Flags().BoolVar(&v.base64, "base64", false, "each line is standard base64 of a token")
	cmd.Flags().BoolVar(&v.json, "json", false, "answer with one JSON object a line")
	require(cmd, "issuer", "audience")
	return cmd
}

// An answer is what is said of one token.
type answer struct {
	OK        bool      `json:"ok"`
	Reason    string    `json:"reason"` // empty if OK
	Key       string    `json:"key,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

func (v *verifyVerb) run(cmd *cobra.Command, _ []string) error {
	config, err := v.config()
	if err != nil {
		return err
	}
	opener, _, err := openAny(cmd.Context(), v.ring)
	if err != nil {
		return err
	}
	verifier := token.NewVerifier[struct{}](opener, config)
	return v.answerAll(cmd.InOrStdin(), cmd.OutOrStdout(), verifier)
}

// answerAll answers each line before it reads the next.
func (v *verifyVerb) answerAll(in io.Reader, out io.Writer, verifier *token.Verifier[struct{}]) error {
	lines, rejected := newLineReader(in, maxLine), 0
	for n := 1; ; n++ {
		line, tooLong, err := lines.next()
		if errors.Is(err, io.EOF) {
			return tally(rejected, n-1)
		}
		if err != nil {
			return fmt.Errorf("read line %d: %w", n, err)
		}
		a, err := v.judge(line, tooLong, verifier)
		if err != nil {
			return fmt.Errorf("could not tell about line %d: %w", n, err)
		}
		if !a.OK {
			rejected++
		}
		if err := v.print(out, a); err != nil {
			return err
		}
	}
}

func tally(rejected, all int) error {
	switch {
	case all == 0:
		return advise(errors.New("no token on standard input"), "see whether the command before it failed")
	case rejected > 0:
		return fmt.Errorf("%d of %d tokens rejected", rejected, all)
	}
	return nil
}

// judge returns an error if the answer could not be found.
func (v *verifyVerb) judge(line []byte, tooLong bool, verifier *token.Verifier[struct{}]) (answer, error) {
	if tooLong {
		return answer{Reason: reason(token.ErrTooLarge)}, nil
	}
	if v.base64 {
		var ok bool
		if line, ok = decodeLine(line); !ok {
			return answer{Reason: "not base64"}, nil
		}
	}
	s, err := verifier.Verify(string(line))
	switch {
	case errors.Is(err, token.ErrInvalid):
		return answer{Reason: reason(err)}, nil
	case err != nil:
		return answer{}, err
	}
	return answer{OK: true, Key: s.KeyID, ExpiresAt: s.ExpiresAt}, nil
}

// decodeLine refuses the CR that Go's decoder skips.
func decodeLine(line []byte) ([]byte, bool) {
	if bytes.IndexByte(line, '\r') >= 0 {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, line)
	return b, err == nil
}

func (v *verifyVerb) print(w io.Writer, a answer) error {
	switch {
	case v.json:
		return printJSONLine(w, a)
	case a.OK:
		return printAll(w, []byte("accept\n"))
	}
	return printAll(w, []byte("reject "+a.Reason+"\n"))
}
