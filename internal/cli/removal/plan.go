// Package removal has the commands that plan and remove images: plan, apply, delete and
// invoke. apply and delete without --yes first plan, ask, and then remove only what the
// shown plan has.
package removal

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// Plan returns the command plan.
func Plan(e env.Env) *cobra.Command {
	f := session.NewFlags(e)
	var out string
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what would be removed; remove nothing",
		Args:  session.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := f.Open(c.Context(), config.Plan)
			if err != nil {
				return err
			}
			plan, err := s.Report(c.Context(), s.Run)
			if err != nil {
				return err
			}
			if err := save(c.Context(), e, out, plan); err != nil {
				return err
			}
			if err := f.PrintReport(plan); err != nil {
				return err
			}
			return session.Status(plan)
		},
	}
	f.AddConfig(c)
	f.AddOutput(c)
	f.AddRepositories(c)
	f.AddDeadline(c)
	c.Flags().StringVar(&out, "out", "", "save the plan to this file, for ecrclean apply FILE")
	return c
}

// save writes a plan to a file, unless the name is empty or a signal has cut the plan
// short: the file may hold an older plan that is complete.
func save(ctx context.Context, e env.Env, name string, plan *cleaner.Report) error {
	if name == "" {
		return nil
	}
	if interrupted := ctx.Err() != nil; interrupted && plan.Incomplete {
		e.Notef("%s is not written: the plan is not complete", name)
		return nil
	}
	if err := env.SaveFile(name, plan.WriteJSON); err != nil {
		return exit.Failuref("save plan: %w", err)
	}
	return nil
}
