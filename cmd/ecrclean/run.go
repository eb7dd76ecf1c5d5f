package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/attachment"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/demo"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/inspect"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/policyfile"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/removal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
)

// commands make the subcommands of ecrclean, each with its own flags.
var commands = []func(*session.Flags) *cobra.Command{
	removal.Plan, removal.Apply, removal.Delete, removal.Invoke,
	inspect.Explain, inspect.Policies, inspect.References, inspect.KubernetesRole, inspect.Audit,
	policyfile.Preview, policyfile.Check, policyfile.Convert,
	attachment.Attach, attachment.Adopt,
	demo.Command,
}

// run carries out one command line and returns the exit status.
func run(ctx context.Context, e env.Env, args []string) (status int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(e.Stderr, "ecrclean: the program is faulty: %v; please report it with the following lines\n%s", cause, debug.Stack())
			status = exit.Failed
		}
	}()
	out := &env.Output{W: e.Stdout}
	e.Stdin, e.Stdout = env.Interruptible{Context: ctx, R: e.Stdin}, out
	command, err := root(e, args).ExecuteContextC(ctx)
	interrupted := ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.Is(err, context.Cause(ctx))
	switch {
	case interrupted:
		err = exit.Failuref("not done: %w", context.Cause(ctx))
	case err == nil && out.Err != nil:
		err = exit.Failuref("write to the standard output: %w", out.Err)
	}
	if err != nil {
		printError(e, command, err)
	}
	return exit.Status(err)
}

// printError prints the meaning of the error and, with --debug, its own text.
func printError(e env.Env, command *cobra.Command, err error) {
	settings := awserror.Settings{Getenv: e.Getenv}
	if profile := command.Flags().Lookup("profile"); profile != nil {
		settings.Profile = profile.Value.String()
	}
	e.Notef("%s", settings.Text(err))
	if debug, _ := command.Flags().GetBool("debug"); debug { // it is missing if the command line is wrong
		e.Notef("debug: %s", err)
	}
}

func root(e env.Env, args []string) *cobra.Command {
	c := &cobra.Command{
		Use:           "ecrclean",
		Short:         "Show, explain and remove what lifecycle policies expire in an Amazon ECR registry",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return exit.Usagef("unknown command %q; see ecrclean --help", args[0])
			}
			return exit.Usagef("a command is missing; see ecrclean --help")
		},
	}
	c.CompletionOptions.HiddenDefaultCmd = true
	c.SetArgs(args)
	c.SetOut(e.Stdout)
	c.SetErr(e.Stderr)
	c.PersistentFlags().Bool("debug", false, "after an error, also print it as the AWS SDK gives it")
	for _, command := range commands {
		c.AddCommand(command(&session.Flags{Env: e}))
	}
	return c
}
