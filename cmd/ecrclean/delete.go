package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

func deleteCommand(w world) *cobra.Command {
	s := setup{world: w}
	var (
		yes   bool
		typed limits
	)
	c := &cobra.Command{
		Use:   "delete REPOSITORY IMAGE...",
		Short: "Remove chosen images, each named by tag or digest",
		Long: `Remove chosen images of one repository, each named by tag or digest, after asking.

An image goes with all its tags. Protection, limits and the re-check before the
removal are those of apply; policies play no part.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError(errors.New("expects a repository and at least one tag or digest"))
			}
			return typed.check()
		},
		RunE: func(c *cobra.Command, args []string) error {
			session, err := s.open(c, config.Apply, typed)
			if err != nil {
				return err
			}
			return session.apply(c.Context(), yes, func(ctx context.Context) (*cleaner.Report, error) {
				report, err := session.RunNamed(ctx, args[0], args[1:])
				if err != nil {
					return nil, runError(err)
				}
				session.finish(&report)
				return &report, nil
			})
		},
	}
	s.flags(c)
	s.logFlag(c)
	typed.flags(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}
