// Package removal has the commands that plan and remove images: plan, apply, delete and
// invoke. Without --yes, apply and delete show a plan and ask first.
package removal

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/runlog"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Plan returns the command plan.
func Plan(f *session.Flags) *cobra.Command {
	var (
		out      string
		images   []string
		detailed bool
	)
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what would be removed; remove nothing",
		Long: `Show what apply would remove, and why. plan removes nothing.

With --images, plan shows just these images, also those that are kept. The policies are
evaluated for the whole repositories, so the verdicts are those of the whole plan.

` + session.ImageNames,
		Args: cobra.MatchAll(f.NoArgs, func(*cobra.Command, []string) error {
			switch {
			case images == nil:
			case out != "":
				return exit.Usagef("--out saves a whole plan; leave out --images, or --out")
			case f.Repositories != nil || f.Exclude != nil:
				return exit.Usagef("--images names the repositories, too; leave out --repositories and --exclude")
			}
			return nil
		}),
		RunE: f.InSession(config.Plan, func(ctx context.Context, s *session.Session, _ []string) error {
			run := func() (*report.Report, error) { return planAll(ctx, s, out) }
			if images != nil {
				run = func() (*report.Report, error) { return planImages(ctx, s, images) }
			}
			plan, err := run()
			if err != nil || !detailed {
				return err
			}
			return changes(plan)
		}),
	}
	f.AddReport(c)
	f.AddPolicy(c)
	f.AddRepositories(c)
	f.AddLimits(c)
	f.AddDeadline(c)
	f.AddExec(c)
	c.Flags().StringVar(&out, "out", "", "save the plan to this file, for ecrclean apply FILE")
	c.Flags().Var(session.List(&images), "images",
		"show just these images, each with its repository, such as team/app:v1 (repeatable, comma-separated)")
	session.AddDetailedExitcode(c, &detailed, "if images would be removed")
	return c
}

// planAll prints the plan and saves it in the file of --out.
func planAll(ctx context.Context, s *session.Session, out string) (*report.Report, error) {
	plan, err := s.Report(ctx, s.Run)
	if err == nil && out != "" {
		err = save(ctx, s.Flags, out, plan)
	}
	if err != nil {
		return nil, err
	}
	noteEmpty(ctx, s, plan)
	err = s.Conclude(plan)
	adviseWithoutPolicy(s, plan)
	return plan, err
}

// changes returns the error with the status exit.Changes if the plan would remove images.
func changes(plan *report.Report) error {
	removals, _ := plan.Removals()
	if removals == 0 {
		return nil
	}
	return exit.Changesf("%s would be removed", text.Count(removals, "image"))
}

// save writes a plan to a file, unless a signal has cut the plan short: the file may have
// an older plan that is complete.
func save(ctx context.Context, f *session.Flags, name string, plan *report.Report) error {
	if interrupted := ctx.Err() != nil; interrupted && plan.Incomplete {
		f.Notef("%s is not written: the plan is not complete", name)
		return nil
	}
	if err := env.SaveFile(name, plan.WriteJSON); err != nil {
		return exit.Failuref("save plan: %w", err)
	}
	return nil
}

// Invoke returns the command invoke.
func Invoke(f *session.Flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "invoke EVENT",
		Short: "Run the Lambda handler here on an event file",
		Long: `Run the Lambda handler on an event file, or - for the standard input.

invoke runs the code of the function. The event decides the mode: with "mode": "apply"
the handler removes images. The log is written to the standard error stream.`,
		Args: session.Args(1, 1, "an event file"),
		RunE: func(c *cobra.Command, args []string) error { return invoke(c.Context(), f, args[0]) },
	}
	f.AddConfig(c)
	f.AddOutput(c, session.JSON, session.Table, session.Wide, session.CSV)
	return c
}

func invoke(ctx context.Context, f *session.Flags, name string) error {
	event, err := f.ReadInput(name, config.MaxRequestBytes)
	if err != nil {
		return err
	}
	log := runlog.New(f.Stderr)
	ctx = log.Watch(ctx)
	handler := function.Handler{
		Configuration: f.Configuration, Read: f.ReadConfiguration, Now: f.Now, Connect: f.Connect, Assume: f.Assume,
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
	return f.Conclude(report)
}
