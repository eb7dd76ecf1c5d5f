package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/progress"
)

// run carries out one command line and returns the exit status.
func run(ctx context.Context, e env.Env, args []string) (status int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(e.Stderr, "ecrclean: the program is faulty: %v; please report it with the following lines\n%s", cause, debug.Stack())
			status = exit.Failed
		}
	}()
	e.Progress = cmp.Or(e.Progress, &progress.Line{})
	defer e.Progress.End()
	out := &env.Output{W: e.Stdout}
	e.Stdin, e.Stdout = env.Interruptible{Context: ctx, R: e.Stdin}, out
	command, err := root(e, args).ExecuteContextC(ctx) //nolint:contextcheck // the commands have the context from cobra
	e.Progress.End()
	interrupted := ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.Is(err, context.Cause(ctx))
	switch {
	case interrupted:
		err = exit.Failuref("not done: %w", context.Cause(ctx))
	case errors.Is(err, context.DeadlineExceeded) && command.Flags().Changed("deadline"):
		err = fmt.Errorf("%w; give more time with --deadline, or leave it out", err)
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
