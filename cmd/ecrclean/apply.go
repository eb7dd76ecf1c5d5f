package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

func applyCommand(w world) *cobra.Command {
	s := setup{world: w}
	var (
		yes    bool
		typed  limits
		maxAge time.Duration
	)
	c := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Remove what a plan made now, or the plan saved in FILE, says",
		Long: `Remove what a plan made now says, after asking; or what the plan saved in FILE says.

Only an answer of "yes" removes anything. A saved plan is what was reviewed, so
there is no question; of it only goes what a plan made now would remove too.

With --log nothing is removed before the log on the disk names it. A signal to end
lets the calls under way end and the report say what was not attempted; a second one
ends at once.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError(errors.New("expects at most one FILE"))
			}
			if maxAge < 0 {
				return usageError(fmt.Errorf("--max-plan-age %s: must not be negative", maxAge))
			}
			return typed.check()
		},
		RunE: func(c *cobra.Command, args []string) error {
			session, err := s.open(c, config.Apply, typed)
			if err != nil {
				return err
			}
			session.MaxPlanAge = maxAge
			if len(args) == 1 {
				session.Saved, err = readPlan(args[0])
				yes = true
			}
			if err != nil {
				return err
			}
			return session.apply(c.Context(), yes, session.run)
		},
	}
	s.flags(c)
	s.repositoriesFlag(c)
	s.deadlineFlag(c)
	s.logFlag(c)
	typed.flags(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().DurationVar(&maxAge, "max-plan-age", 24*time.Hour, "refuse a saved plan that is older")
	return c
}

// maxPlanFile is the greatest length of a saved plan: that of a million images
// that go has about 500 MB.
const maxPlanFile = 1 << 30

func readPlan(name string) (*cleaner.Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, usageError(fmt.Errorf("read saved plan: %w", err))
	}
	defer func() { _ = f.Close() }() // it is only read
	text, err := readAll(name, f, maxPlanFile)
	if err != nil {
		return nil, err
	}
	saved, err := cleaner.ReadSavedPlan(text)
	if err != nil {
		return nil, usageError(fmt.Errorf("%s %w", name, err))
	}
	return saved, nil
}

// apply removes what run reports; run fails only before anything was removed. Unless
// yes is true it first runs without a remover, shows that and asks; then it keeps to
// what was shown.
func (s *session) apply(ctx context.Context, yes bool, run func(context.Context) (*cleaner.Report, error)) error {
	if !yes {
		plan, err := run(ctx)
		if err != nil || ctx.Err() != nil {
			return nothingRemoved(ctx, err)
		}
		if agreed, err := s.ask(plan); err != nil || !agreed {
			return err
		}
		s.Saved, s.Now = plan, time.Time{} // the person may have taken long to answer
	}
	ctx, s.Remover = s.remover(ctx)
	report, err := run(ctx)
	if err != nil {
		return nothingRemoved(ctx, err)
	}
	function.LogRun(ctx, s.Log, report)
	return s.conclude(report, s.log.end())
}

// nothingRemoved returns the error of a run that ended before it removed anything,
// which a signal may have been the cause of.
func nothingRemoved(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return failure(fmt.Errorf("nothing was removed: %w", context.Cause(ctx)))
	}
	return err
}

// remover returns what removes, and the context for that: with a log, only what is
// in it is removed, and nothing more when it cannot be written.
func (s *session) remover(ctx context.Context) (context.Context, cleaner.Remover) {
	if s.log == nil {
		return ctx, s.registry.Remover
	}
	ctx, s.log.failed = context.WithCancelCause(ctx)
	s.Log, s.Commit, s.Stop = function.NewLog(s.log), s.log.commit, ctx.Done()
	return ctx, s.registry.Remover
}

// conclude prints the report on what was removed and says whether all was handled;
// logged is what was wrong with the log, if anything.
func (s *session) conclude(report *cleaner.Report, logged error) error {
	switch err := s.print(report); {
	case err != nil && logged != nil:
		return fmt.Errorf("%w; %w", err, logged)
	case err != nil:
		return err
	case logged != nil:
		return logged
	}
	return s.judge(report)
}
