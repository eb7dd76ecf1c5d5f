// Package session has the flags that commands share, and the session of a command: a
// connection to the registry with a runner. A session only plans until a command gives it
// a remover.
package session

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
)

// Flags are the shared flags.
type Flags struct {
	env.Env
	Configuration string
	Output        string
	Repositories  []string // nil if the flag is not given

	profile, region, logFile                                   string
	deadline                                                   time.Duration
	maxDeletions, maxDeletionsPerRepository, maxDeletedPercent limit
}

// NewFlags returns flags with their defaults. A command adds those that it has.
func NewFlags(e env.Env) *Flags { return &Flags{Env: e, Output: "table"} }

// AddRegistry adds --config, --profile, --region and --output.
func (f *Flags) AddRegistry(c *cobra.Command) {
	f.AddConfig(c)
	f.AddOutput(c)
}

// AddConfig adds --config, --profile and --region.
func (f *Flags) AddConfig(c *cobra.Command) {
	c.Flags().StringVar(&f.Configuration, "config", f.Getenv("CLEANER_CONFIG"),
		"configuration: a file, s3://BUCKET/KEY, ssm:/PARAMETER or the JSON text itself (environment: CLEANER_CONFIG)")
	f.AddAccount(c)
}

// AddAccount adds --profile and --region.
func (f *Flags) AddAccount(c *cobra.Command) {
	c.Flags().StringVar(&f.profile, "profile", "", "profile of the shared AWS files (environment: AWS_PROFILE)")
	c.Flags().StringVar(&f.region, "region", "", "AWS Region (environment: AWS_REGION)")
}

// AddOutput adds --output.
func (f *Flags) AddOutput(c *cobra.Command) {
	c.Flags().StringVar(&f.Output, "output", "table", "table or json")
}

// AddRepositories adds --repositories.
func (f *Flags) AddRepositories(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.Repositories, "repositories", nil,
		"only repositories that match one of these patterns; each pattern must match a repository; * matches any characters (repeatable, comma-separated)")
}

// AddDeadline adds --deadline.
func (f *Flags) AddDeadline(c *cobra.Command) {
	c.Flags().DurationVar(&f.deadline, "deadline", 0, "stop and report after this long (e.g. 14m); 0 = no limit")
}

// Args returns a check for n arguments, and describes them in its error.
func Args(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return exit.Usagef("expects %s", what)
		}
		return nil
	}
}

// NoArgs is the check of a command with --repositories.
var NoArgs = Args(0, "no arguments; name repositories with --repositories")

// JSON reports whether the output is JSON, and checks --output.
func (f *Flags) JSON() (bool, error) {
	if f.Output != "json" && f.Output != "table" {
		return false, exit.Usagef("--output %s: must be table or json", f.Output)
	}
	return f.Output == "json", nil
}

// Print writes a result to the standard output as JSON or as a table.
func (f *Flags) Print(what string, writeJSON func(io.Writer) error, table func() string) error {
	asJSON, err := f.JSON()
	if err != nil {
		return err
	}
	if asJSON {
		err = writeJSON(f.Stdout)
	} else {
		_, err = fmt.Fprint(f.Stdout, table())
	}
	if err != nil {
		return exit.Failuref("write the %s: %w", what, err)
	}
	return nil
}
