// Package session has the shared flags, and the session of a command: a connection with a
// runner. A session only plans until a command gives it a remover.
package session

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Flags are the shared flags. A command adds those that it has.
type Flags struct {
	env.Env
	Command       *cobra.Command // the command that has the flags
	Configuration string
	Policy        string // file of a policy that replaces those of the configuration; optional
	Output        Output
	Repositories  []string // nil if the flag is not given
	Exclude       []string // repositories to leave out
	NoPolicies    bool     // the command evaluates no policies
	Unprotected   []string // the protections that the run overrides, see [config.Config.Unprotect]

	configured               bool            // it has --config
	price                    *float64        // of the configuration
	running                  []config.Limits // see render.Screen
	account                  string          // see render.Screen
	profile, region, logFile string
	deadline                 time.Duration
	allowExec                bool
	limits                   report.Limits
}

// An Output is a value of --output.
type Output string

// The outputs. Each command has Table and JSON; those that print a report have all.
const (
	Table Output = "table" // a screen
	Wide  Output = "wide"  // a table with each image
	CSV   Output = "csv"   // each image, for a spreadsheet
	JSON  Output = "json"
)

// AddRegistry adds --config, --profile, --region and --output.
func (f *Flags) AddRegistry(c *cobra.Command) {
	f.AddConfig(c)
	f.AddOutput(c, Table, JSON)
}

// AddReport is AddRegistry for a command that prints a report.
func (f *Flags) AddReport(c *cobra.Command) {
	f.AddConfig(c)
	f.AddOutput(c, Table, Wide, CSV, JSON)
}

// AddConfig adds --config, --profile and --region.
func (f *Flags) AddConfig(c *cobra.Command) {
	f.configured = true
	c.Flags().StringVarP(&f.Configuration, "config", "c", f.Getenv("CLEANER_CONFIG"),
		"configuration: a file, s3://BUCKET/KEY, ssm:/PARAMETER or the JSON text itself (environment: CLEANER_CONFIG)")
	f.AddAccount(c)
}

// AddAccount adds --profile and --region.
func (f *Flags) AddAccount(c *cobra.Command) {
	c.Flags().StringVar(&f.profile, "profile", "", "profile of the shared AWS files (environment: AWS_PROFILE)")
	c.Flags().StringVar(&f.region, "region", "", "AWS Region (environment: AWS_REGION)")
}

// AddOutput adds --output, which has the values; the first one is the default.
func (f *Flags) AddOutput(c *cobra.Command, values ...Output) {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = string(value)
	}
	usage := english.WordSeries(names, "or")
	c.Flags().StringVarP((*string)(&f.Output), "output", "o", names[0], usage)
	c.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(values, f.Output) {
			return exit.Usagef("--output %s: must be %s", f.Output, usage)
		}
		return nil
	}
}

// AddPolicy adds --policy.
func (f *Flags) AddPolicy(c *cobra.Command) {
	c.Flags().StringVar(&f.Policy, "policy", "",
		"use this policy, native or extended, for all repositories instead of those of the configuration: a file, or - for the standard input")
}

// AddRepositories adds --repositories and --exclude.
func (f *Flags) AddRepositories(c *cobra.Command) {
	c.Flags().VarP(List(&f.Repositories), "repositories", "r",
		"only repositories that match one of these patterns; each pattern must match a repository; * matches any characters (repeatable, comma-separated)")
	c.Flags().Var(List(&f.Exclude), "exclude",
		"leave out the repositories that match one of these patterns; each pattern must match a repository (repeatable, comma-separated)")
}

// AddDeadline adds --deadline.
func (f *Flags) AddDeadline(c *cobra.Command) {
	c.Flags().DurationVar(&f.deadline, "deadline", 0, "stop and report after this long (e.g. 14m); 0 = no limit")
}

// AddExec adds --allow-exec, which the commands have that make an in-use scan.
func (f *Flags) AddExec(c *cobra.Command) {
	c.Flags().BoolVar(&f.allowExec, "allow-exec", false, "run the programs that the file of protect.kubeconfig names, to log in to clusters")
}

// AddDetailedExitcode adds --detailed-exitcode, which ends the command with status 4 in the
// case that the words describe.
func AddDetailedExitcode(c *cobra.Command, detailed *bool, when string) {
	c.Flags().BoolVar(detailed, "detailed-exitcode", false, fmt.Sprintf("end with status %d %s, and with 0 if not", exit.Changes, when))
}

// Args returns a check for the number of arguments, and describes them in its error.
func Args(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return exit.Usagef("expects %s", what)
		}
		return nil
	}
}

// Print writes a result to the standard output, as JSON or as a text that fits the terminal.
func (f *Flags) Print(what string, writeJSON func(io.Writer) error, table func(on terminal.Terminal) string) (err error) {
	if f.Output == JSON || f.Output == CSV {
		err = writeJSON(f.Stdout)
	} else {
		_, err = io.WriteString(f.Stdout, text.Fold(table(f.Terminal.Out), f.Terminal.Out.Width))
	}
	if err != nil {
		return exit.Failuref("write the %s: %w", what, err)
	}
	return nil
}

// AddRemoval adds the flags of the commands that remove images: --log and those of AddLimits.
func (f *Flags) AddRemoval(c *cobra.Command) {
	c.Flags().StringVar(&f.logFile, "log", "",
		"append the log to this file, for ecrclean audit FILE: each image before the call that removes it, and its outcome")
	f.AddLimits(c)
}
