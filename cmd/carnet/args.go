package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/internal/jose"
	"github.com/carnet-go/carnet/internal/paseto"
	"github.com/carnet-go/carnet/keys"
)

// minPrefix is the shortest beginning of a key id that is taken for it. Shorter
// ones are slips of the hand.
const minPrefix = 4

// ringArgs takes the name of a ring and from least to most key ids; a negative
// most is any number.
func ringArgs(least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 && (least > 0 || os.Getenv(ringVariable) == ""):
			return usageError("which ring? Name it, or set %s", ringVariable)
		case len(args)-1 < least && least > 0:
			return usageError("which key? Name its id")
		case most >= 0 && len(args)-1 > most:
			return usageError("%d arguments are too many", len(args))
		}
		for _, id := range args[min(1, len(args)):] {
			if len(id) < minPrefix {
				return usageError("%q is too short for a key id: give at least %d characters", id, minPrefix)
			}
			if isToken(id) {
				return usageError("that is a token, not a key id")
			}
			if isKey(id) {
				return usageError("that is a key, not the id of one")
			}
		}
		return nil
	}
}

// noArgs says what to do about an argument of a verb that takes none. It does not
// repeat it: it may be a token.
func noArgs(why string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError("%s", why)
		}
		return nil
	}
}

// isToken finds what must not be quoted.
func isToken(s string) bool {
	_, isJWT := jose.Label(s)
	_, isPASETO := paseto.Label(s)
	return isJWT || isPASETO
}

// adviseDash explains a mistake that only base64 can lead to.
func adviseDash(_ *cobra.Command, err error) error {
	return &failure{err, exitUsage, "if that was meant as a key id that begins with a dash, put -- before it"}
}

// findKey returns the id that prefix is the beginning of.
func findKey(s *keys.Set, p place, prefix string) (string, error) {
	var found []string
	for _, k := range s.Keys() {
		if k.ID == prefix {
			return k.ID, nil
		}
		if strings.HasPrefix(k.ID, prefix) {
			found = append(found, k.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", advise(fmt.Errorf("no such key: %.40q", prefix), "see which there are: carnet list %s", p.shell())
	case 1:
		return found[0], nil
	}
	return "", advise(fmt.Errorf("%.40q is the beginning of %d keys: %s", prefix, len(found), strings.Join(found, ", ")),
		"give more characters of the id")
}

// completeKeys offers the ids of the ring that was named first.
func completeKeys(_ *cobra.Command, args []string, _ string) (ids []string, d cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	p, err := locate(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	set, err := p.Load(context.Background())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, k := range set.Keys() {
		ids = append(ids, cobra.CompletionWithDesc(k.ID, k.State))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// A formatFlag is a key format on the command line.
type formatFlag keys.Format

func (f *formatFlag) String() string { return string(*f) }
func (f *formatFlag) Type() string   { return "jwt|paseto" }

func (f *formatFlag) Set(s string) error {
	switch keys.Format(s) {
	case keys.JWT, keys.PASETO:
		*f = formatFlag(s)
		return nil
	}
	return fmt.Errorf("use %s or %s", keys.JWT, keys.PASETO)
}

func addFormatFlag(cmd *cobra.Command, f *formatFlag, usage string) {
	cmd.Flags().Var(f, "format", usage)
	cmd.RegisterFlagCompletionFunc("format",
		cobra.FixedCompletions([]string{string(keys.JWT), string(keys.PASETO)}, cobra.ShellCompDirectiveNoFileComp))
}
