package main

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// argumentsOf returns the arguments of ecrclean in a command line of a shell. The line may have
// a pipe before or after it, redirections, and single quotes, or be all that source reads.
func argumentsOf(line string) []string {
	if read, ok := strings.CutPrefix(line, "source <("); ok {
		line = strings.TrimSuffix(read, ")")
	}
	for part := range strings.SplitSeq(line, " | ") {
		if after, ok := strings.CutPrefix(part, "ecrclean "); ok {
			part, _, _ = strings.Cut(after, " > ")
			part, _, _ = strings.Cut(part, " < ")
			return strings.Fields(strings.ReplaceAll(part, "'", ""))
		}
	}
	return nil
}

// Every command has three examples, and each is a valid command line of that command.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	tree := root(env.Env{Getenv: func(string) string { return "" }}, nil)
	examples := 0
	for _, c := range tree.Commands() {
		lines := strings.FieldsFunc(c.Example, func(r rune) bool { return r == '\n' })
		if want := 3; len(lines) != want {
			t.Errorf("%s has %d examples, want %d", c.Name(), len(lines), want)
		}
		for _, line := range lines {
			examples++
			args := argumentsOf(strings.TrimSpace(line))
			found, rest, err := tree.Find(args)
			if err != nil || found != c && found.Parent() != c {
				t.Errorf("%s is no example of %s: %v", line, c.Name(), err)
				continue
			}
			// A new tree, because flags keep their values.
			found, _, _ = root(env.Env{Getenv: func(string) string { return "" }}, nil).Find(args)
			if err := parse(found, rest); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if examples < 40 {
		t.Errorf("only %d examples were found", examples)
	}
}

// parse is what cobra does with the arguments before it runs the command.
func parse(c *cobra.Command, args []string) error {
	if err := c.ParseFlags(args); err != nil {
		return err
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		return err
	}
	if c.PreRunE == nil {
		return nil
	}
	return c.PreRunE(c, c.Flags().Args())
}

func TestTheVersionHasWhatTheBuildKnows(t *testing.T) {
	t.Parallel()
	built := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	for want, info := range map[string]*debug.BuildInfo{
		"ecrclean (unknown version)": {},
		"ecrclean v1.2.3":            built("v1.2.3"),
		"ecrclean v1.2.3, commit 0a1b, 2026-11-30T10:00:00Z": built("v1.2.3", debug.BuildSetting{Key: "vcs.revision", Value: "0a1b"},
			debug.BuildSetting{Key: "vcs.time", Value: "2026-11-30T10:00:00Z"}, debug.BuildSetting{Key: "vcs.modified", Value: "false"}),
		"ecrclean (devel), commit 0a1b, modified": built("(devel)", debug.BuildSetting{Key: "vcs.revision", Value: "0a1b"},
			debug.BuildSetting{Key: "vcs.modified", Value: "true"}),
	} {
		awstest.Equal(t, "version", want, describe(info))
	}
}
