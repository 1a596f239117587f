package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/client"
)

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "version", Short: "版本: which build this is", Args: client.NoArguments}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as one line of JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(build{buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "tierdesk %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS,
			runtime.GOARCH)
		return err
	}
	return cmd
}

// build is what version --json prints.
type build struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// buildVersion is what the Go tool stamped into the binary: the module's version, and the commit where it knows it.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := cmp.Or(info.Main.Version, "(devel)")
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			version += " " + s.Value
		}
	}
	return version
}
