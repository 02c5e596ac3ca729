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
		Long: `List the keys of a ring, oldest first. GENERATION is the first of the ring that had
the key, SINCE how long it has been in its state, PRUNABLE when the last token that
it can have sealed is dead. Of a ring in Redis the nodes are listed too, as they
reported last; those that get it as a file do not report. A node that is ahead follows
another ring, or another history of this one: see carnet doctor.`,
		Example: "  carnet list ring.json",
		Args:    ringArgs(0, 0),
		RunE:    func(cmd *cobra.Command, args []string) error { return list(cmd, args, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an object")
	return cmd
}

// A listing is a ring as a program reads it.
type listing struct {
	Ring       string  `json:"ring"`
	Generation uint64  `json:"generation"`
	Keys       []entry `json:"keys"`
	Nodes      []node  `json:"nodes,omitzero"` // of a ring in Redis
}

// A node is one that reports to the store of the ring.
type node struct {
	Name       string  `json:"name"`
	Generation uint64  `json:"generation"` // of the ring that it has loaded
	CanMint    bool    `json:"can_mint"`
	Silent     float64 `json:"silent_seconds"`     // since its last report
	Skew       float64 `json:"clock_skew_seconds"` // how far its clock is ahead of that of Redis
}

// An entry is a key of it.
type entry struct {
	ID          string      `json:"id"`
	Format      keys.Format `json:"format"`
	State       string      `json:"state"`
	Generation  uint64      `json:"generation,omitzero"` // of the ring, the first that had the key
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
	nodes, err := nodesOf(cmd, p)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), listing{p.name, set.Generation(), entries(set), nodes})
	}
	rows := []string{"ID\tFORMAT\tSTATE\tGENERATION\tCREATED\tSINCE\tPRUNABLE\tDEPENDS ON IT"}
	for _, e := range entries(set) {
		rows = append(rows, strings.Join([]string{e.ID, string(e.Format), string(e.State), generation(e.Generation),
			stamp(e.CreatedAt), ago(time.Since(e.Since)), due(e.PrunableAt), e.DependsOnIt}, "\t"))
	}
	if err := printAll(cmd.OutOrStdout(), fmt.Appendf(nil, "%s is at generation %d\n\n", printable(p.name), set.Generation())); err != nil {
		return err
	}
	if err := printTable(cmd.OutOrStdout(), rows...); err != nil || nodes == nil {
		return err
	}
	return printTable(cmd.OutOrStdout(), nodeRows(nodes, set.Generation())...)
}

// generation is a dash for a key of which it is not known.
func generation(n uint64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatUint(n, 10)
}

// nodesOf returns the nodes that follow the ring; nil if they do not talk to its store.
func nodesOf(cmd *cobra.Command, p place) ([]node, error) {
	shared, ok := p.shared()
	if !ok {
		return nil, nil
	}
	reported, err := shared.Nodes(cmd.Context())
	nodes := []node{}
	for _, n := range reported {
		nodes = append(nodes, node{n.Name, n.Generation, !n.VerifyOnly, n.Silent.Seconds(), n.Skew.Seconds()})
	}
	return nodes, err
}

func nodeRows(nodes []node, newest uint64) []string {
	rows := []string{"", "NODE\tGENERATION\tCAN MINT\tHEARD OF\tCLOCK"}
	for _, n := range nodes {
		has := generation(n.Generation)
		if n.Generation < newest {
			has += fmt.Sprintf(" (%d behind)", newest-n.Generation)
		} else if n.Generation > newest {
			has += fmt.Sprintf(" (%d ahead)", n.Generation-newest)
		}
		mints := "no"
		if n.CanMint {
			mints = "yes"
		}
		heard := time.Duration(n.Silent * float64(time.Second))
		rows = append(rows, strings.Join([]string{visible(n.Name), has, mints, ago(heard) + " ago", fmt.Sprintf("%+.1fs", n.Skew)}, "\t"))
	}
	return rows
}

func entries(s *keys.Set) (list []entry) {
	for _, k := range s.Keys() {
		e := entry{ID: k.ID, Format: k.Format, State: k.State, Generation: k.Generation, CreatedAt: k.CreatedAt, Since: since(k), PrunableAt: s.PrunableAt(k)}
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
