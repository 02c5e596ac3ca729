package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown) " + runtime.Version()
	}
	return info.Main.Version + " " + runtime.Version()
}

func newVersionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noArgs("version takes no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printAll(cmd.OutOrStdout(), fmt.Appendln(nil, "carnet", version()))
		},
	}
}
