package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/carnet-go/carnet/keys"
)

func newListCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list RING",
		Short: "List the keys of a ring",
		Long: `List the keys of a ring, oldest first. SINCE is how long a key has been in its
state; PRUNABLE is when the last token that it can have sealed is dead. Of a ring in
Redis the nodes are listed too, as they reported last; those that get it as a file
do not report.`,
		Example: "  carnet list ring.json",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return list(cmd, args, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a list of objects")
	return cmd
}

// An entry is a key as a program reads it.
type entry struct {
	ID          string      `json:"id"`
	Format      keys.Format `json:"format"`
	State       string      `json:"state"`
	CreatedAt   time.Time   `json:"created_at"`
	Since       time.Time   `json:"since"`                 // when it came into its state
	PrunableAt  time.Time   `json:"prunable_at,omitzero"`  // for a retired or revoked key
	RotatableAt time.Time   `json:"rotatable_at,omitzero"` // for the pre-published key: when it may mint
	DependsOnIt string      `json:"depends_on_it"`         // for a person
}

func list(cmd *cobra.Command, args []string, asJSON bool) error {
	p, err := placeOf(args)
	if err != nil {
		return err
	}
	set, err := p.load(cmd.Context())
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), entries(set))
	}
	rows := []string{"ID\tFORMAT\tSTATE\tCREATED\tSINCE\tPRUNABLE\tDEPENDS ON IT"}
	for _, e := range entries(set) {
		rows = append(rows, strings.Join([]string{e.ID, string(e.Format), string(e.State),
			stamp(e.CreatedAt), ago(time.Since(e.Since)), due(e.PrunableAt), e.DependsOnIt}, "\t"))
	}
	if err := printTable(cmd.OutOrStdout(), rows...); err != nil {
		return err
	}
	return listNodes(cmd, p, set)
}

// listNodes says which nodes follow the ring, if they talk to its store.
func listNodes(cmd *cobra.Command, p place, set *keys.Set) error {
	shared, ok := p.shared()
	if !ok {
		return nil
	}
	nodes, err := shared.Nodes(cmd.Context())
	if err != nil {
		return err
	}
	rows := []string{"", "NODE\tGENERATION\tCAN MINT\tHEARD OF\tCLOCK"}
	for _, n := range nodes {
		generation := strconv.FormatUint(n.Generation, 10)
		if behind := set.Generation() - n.Generation; n.Generation < set.Generation() {
			generation += fmt.Sprintf(" (%d behind)", behind)
		}
		mints := "yes"
		if n.VerifyOnly {
			mints = "no"
		}
		rows = append(rows, strings.Join([]string{visible(n.Name), generation, mints, ago(n.Silent) + " ago", fmt.Sprintf("%+.1fs", n.Skew.Seconds())}, "\t"))
	}
	return printTable(cmd.OutOrStdout(), rows...)
}

func entries(s *keys.Set) (list []entry) {
	for _, k := range s.Keys() {
		e := entry{ID: k.ID, Format: k.Format, State: k.State, CreatedAt: k.CreatedAt, Since: since(k), PrunableAt: s.PrunableAt(k)}
		if k.State == "pre-published" {
			e.RotatableAt = s.RotatableAt()
		}
		e.DependsOnIt = dependents(k, e.PrunableAt)
		list = append(list, e)
	}
	return list
}

// since is when k came into its state.
func since(k keys.Key) time.Time {
	switch k.State {
	case "active":
		return k.ActivatedAt
	case "retired":
		return k.RetiredAt
	case "revoked":
		return k.RevokedAt
	}
	return k.CreatedAt
}

func due(t time.Time) string {
	if !t.IsZero() && !time.Now().Before(t) {
		return "now"
	}
	return stamp(t)
}

// dependents says what would be lost with a key.
func dependents(k keys.Key, prunable time.Time) string {
	switch {
	case k.State == "pre-published":
		return "the next rotation"
	case k.State == "active":
		return "every new token"
	case k.State == "revoked":
		return "nothing; its id tells its tokens from unknown ones"
	case !time.Now().Before(prunable):
		return "nothing"
	}
	return fmt.Sprintf("tokens sealed from %s to %s", stamp(k.ActivatedAt), stamp(k.RetiredAt))
}
