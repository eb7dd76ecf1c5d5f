package removal

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/runlog"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// Invoke returns the command invoke.
func Invoke(e env.Env) *cobra.Command {
	f := session.NewFlags(e)
	c := &cobra.Command{
		Use:   "invoke EVENT",
		Short: "Run the Lambda handler here on an event file",
		Long: `Run the Lambda handler on an event file, or - for the standard input.

invoke runs the code of the function. The event decides the mode: with "mode": "apply"
the handler removes images. The log is written to the standard error stream.`,
		Args: session.Args(1, "an event file"),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := f.JSON(); err != nil {
				return err
			}
			event, err := f.ReadInput(args[0], config.MaxRequestBytes)
			if err != nil {
				return err
			}
			return invoke(c.Context(), f, event)
		},
	}
	f.AddConfig(c)
	c.Flags().StringVar(&f.Output, "output", "json", "json, as the function answers, or table")
	return c
}

func invoke(ctx context.Context, f *session.Flags, event []byte) error {
	ctx, log := runlog.New(ctx, f.Stderr)
	handler := function.Handler{
		Configuration: f.Configuration, Read: f.ReadConfiguration, Now: f.Now, Connect: f.Connect,
		RunID: func(context.Context) string { return session.NewRunID() },
		Log:   function.NewLog(log), Commit: log.Commit,
	}
	report, err := handler.Handle(ctx, event)
	if _, registry := errors.AsType[*function.RegistryError](err); registry {
		return exit.Failuref("%w", err)
	}
	if err != nil {
		return exit.Usagef("%w", err)
	}
	if err := f.PrintReport(report); err != nil {
		return err
	}
	return session.Status(report)
}
