package main

import (
	"io"

	"github.com/spf13/cobra"
)

const (
	groupRing  = "ring"
	groupToken = "token"
	groupList  = "list"
)

// newRoot returns the command. Its completion verb keeps the output that it finds
// here.
func newRoot(out io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "carnet COMMAND",
		Short: "Keep the keys of sessions",
		Long: `carnet keeps the keys that session tokens are sealed with.

A ring can mint sessions for anybody. The verify-only ring that is exported from
it can read every token and mint none. Keep both from others.

Exit codes: 0 fine, 1 refused, failed or a token was rejected, 2 wrong usage.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,

		DisableFlagsInUseLine: true,
		RunE: func(*cobra.Command, []string) error {
			return usageError("which command?")
		},
	}
	root.SetOut(out)
	root.AddGroup(&cobra.Group{ID: groupRing, Title: "Rings:"}, &cobra.Group{ID: groupToken, Title: "Tokens:"},
		&cobra.Group{ID: groupList, Title: "Denylists:"})
	addVerbs(root, groupRing, newInitCmd(), newListCmd(), newRotateCmd(), newRevokeCmd(), newPruneCmd(), newExportCmd(),
		newRewrapCmd(), newCopyCmd(), newCompromiseCmd(), newAuditCmd(), newDoctorCmd())
	addVerbs(root, groupToken, newIssueCmd(), newInspectCmd(), newVerifyCmd())
	addVerbs(root, groupList, newDenyCmd(), newDeniedCmd(), newAllowCmd())
	addVerbs(root, "", newDemoCmd(), newVersionCmd())
	root.SetVersionTemplate("carnet {{.Version}}\n")
	strictHelp(root)
	return root
}

func addVerbs(root *cobra.Command, group string, verbs ...*cobra.Command) {
	for _, v := range verbs {
		v.GroupID = group
		v.RunE = failing(v.RunE)
		root.AddCommand(v)
	}
}

// strictHelp makes wrong usage of "carnet help nonsense" and "carnet completion
// nonsense": cobra calls both fine.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				_, _, err := root.Find(args)
				return err
			}
		case "completion":
			c.RunE = func(*cobra.Command, []string) error { return usageError("for which shell?") }
		}
	}
}
