package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
)

// version returns the command version.
func version(f *session.Flags) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, like --version",
		Args:  session.Args(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if _, err := fmt.Fprintln(f.Stdout, buildVersion()); err != nil {
				return exit.Failuref("write the version: %w", err)
			}
			return nil
		},
	}
}

// buildVersion describes the program that runs.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return describe(info)
}

// describe returns the version, and the commit and its date if the program was built from a
// repository.
func describe(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	parts := []string{"ecrclean " + cmp.Or(info.Main.Version, "(unknown version)")}
	if commit := settings["vcs.revision"]; commit != "" {
		parts = append(parts, "commit "+commit)
	}
	if date := settings["vcs.time"]; date != "" {
		parts = append(parts, date)
	}
	if settings["vcs.modified"] == "true" {
		parts = append(parts, "modified")
	}
	return strings.Join(parts, ", ")
}
