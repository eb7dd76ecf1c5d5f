package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

func invokeCommand(w world) *cobra.Command {
	s := setup{world: w}
	c := &cobra.Command{
		Use:   "invoke EVENT",
		Short: "Run the Lambda handler here on an event file: same code, same answer",
		Long: `Run the Lambda handler on an event file, or - for the standard input.

It is the function itself: the event decides the mode, and with "mode": "apply"
images are removed. The log goes to the standard error stream.`,
		Args: exactArgs(1, "an event file"),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := s.json(); err != nil {
				return err
			}
			event, err := s.readInput(args[0], config.MaxRequestBytes)
			if err != nil {
				return err
			}
			return s.invoke(c.Context(), event)
		},
	}
	s.configurationFlags(c)
	c.Flags().StringVar(&s.output, "output", "json", "json, as the function answers, or table")
	return c
}

func (s *setup) invoke(ctx context.Context, event []byte) error {
	log := &runLog{w: s.stderr}
	ctx, log.failed = context.WithCancelCause(ctx)
	handler := function.Handler{
		Configuration: s.config, Read: s.source(s.profile, s.region, s.now), Now: s.now,
		Connect: s.connector(s.profile, s.region, s.now),
		RunID:   func(context.Context) string { return newRunID() },
		Log:     function.NewLog(log), Commit: log.commit,
	}
	report, err := handler.Handle(ctx, event)
	if _, registry := errors.AsType[*function.RegistryError](err); registry {
		return failure(err)
	}
	if err != nil {
		return usageError(err)
	}
	if err := s.print(report); err != nil {
		return err
	}
	return status(report)
}
