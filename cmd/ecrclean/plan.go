package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

func planCommand(w world) *cobra.Command {
	s := setup{world: w}
	var out string
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what would be removed; removes nothing",
		Args:  exactArgs(0, "no arguments; name repositories with --repositories"),
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := s.plan(c)
			if err != nil {
				return err
			}
			if out != "" {
				if err := s.savePlan(c.Context(), out, report); err != nil {
					return err
				}
			}
			if err := s.print(report); err != nil {
				return err
			}
			return status(report)
		},
	}
	s.flags(c)
	s.repositoriesFlag(c)
	s.deadlineFlag(c)
	c.Flags().StringVar(&out, "out", "", "save the plan to this file, for ecrclean apply FILE")
	return c
}

// plan runs a plan with the flags of the command.
func (s *setup) plan(c *cobra.Command) (*cleaner.Report, error) {
	session, err := s.open(c, config.Plan, limits{})
	if err != nil {
		return nil, err
	}
	return session.run(c.Context())
}

// open prepares a run: output format, configuration, request, connection.
func (s *setup) open(c *cobra.Command, mode config.Mode, typed limits) (*session, error) {
	if _, err := s.json(); err != nil {
		return nil, err
	}
	if s.deadline < 0 {
		return nil, usageError(fmt.Errorf("--deadline %s: must not be negative; give a time such as 14m, or 0 for no limit", s.deadline))
	}
	log, err := openRunLog(s.logFile)
	if err != nil {
		return nil, err
	}
	configuration, err := s.load(c.Context())
	if err != nil {
		return nil, err
	}
	hash, err := configuration.Hash()
	if err != nil {
		return nil, failure(err)
	}
	request, err := s.request(c, mode)
	if err != nil {
		return nil, err
	}
	if err := s.supported(configuration, mode); err != nil {
		return nil, err
	}
	session, err := s.session(c.Context(), typed.override(c, configuration), request, hash)
	if err == nil {
		session.log = log
	}
	return session, err
}

func (s *session) run(ctx context.Context) (*cleaner.Report, error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	report, err := s.Run(ctx)
	if err != nil {
		return nil, runError(err)
	}
	s.finish(&report)
	return &report, nil
}
