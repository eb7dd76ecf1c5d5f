package removal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Apply returns the command apply.
func Apply(f *session.Flags) *cobra.Command {
	var (
		yes    bool
		maxAge time.Duration
	)
	c := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Plan, ask, and remove; or apply the plan saved in FILE",
		Long: `Make a plan, show it, ask, and remove what it says. Only the answer "yes" removes
anything.

With FILE, apply does not ask. It removes only images that are in both the saved plan
and a fresh plan. The limits that were typed for the saved plan apply, unless you give
others.

With --log, apply writes each image to the log on the disk before the call that removes
the image. After Ctrl-C, apply finishes the calls in flight and reports what it did not
attempt. Press Ctrl-C again to quit at once.`,
		Args: cobra.MatchAll(session.Args(0, 1, "at most one FILE"), func(_ *cobra.Command, args []string) error {
			switch {
			case maxAge < 0:
				return exit.Usagef("--max-plan-age %s: must not be negative", maxAge)
			case f.Policy == "-" && !yes && len(args) == 0:
				return exit.Usagef("--policy - uses the standard input, where apply also expects the answer to its question; " +
					"save the policy to a file, or give --yes")
			}
			return nil
		}),
		RunE: func(c *cobra.Command, args []string) error { return runApply(c.Context(), f, args, maxAge, yes) },
	}
	f.AddReport(c)
	f.AddPolicy(c)
	f.AddExec(c)
	f.AddRepositories(c)
	f.AddDeadline(c)
	f.AddRemoval(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().DurationVar(&maxAge, "max-plan-age", session.MaxPlanAge, "refuse a saved plan that is older")
	c.Flags().Lookup("max-plan-age").DefValue = "24h"
	return c
}

// runApply applies a new plan, or the plan saved in the file that args has.
func runApply(ctx context.Context, f *session.Flags, args []string, maxAge time.Duration, yes bool) error {
	var saved *report.Report
	if len(args) == 1 {
		f.Progress.Start() // a large plan takes seconds to read
		var err error
		if saved, err = readPlan(f, args[0]); err != nil {
			return err
		}
		if err := f.UseLimits(saved.Limits); err != nil {
			return err
		}
	}
	s, err := f.Open(ctx, config.Apply)
	if err != nil {
		return err
	}
	s.Saved, s.MaxPlanAge = saved, maxAge
	r := removal{Session: s, run: s.Run, status: session.Status}
	err = r.apply(ctx, yes || saved != nil)
	if refused, ok := errors.AsType[*report.PlanError](err); ok && refused.OtherConfiguration {
		err = exit.Usagef("%s was made with another configuration or policy; run: %s", args[0], lineForSaved(f, args[0], saved))
	}
	return err
}

func readPlan(flags *session.Flags, name string) (*report.Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, exit.Usagef("read saved plan: %w; check its name, or save a plan with ecrclean plan --out FILE", err)
	}
	content, err := env.ReadAll(name, f, 1<<30) // a plan to remove a million images has about 500 MB
	if err != nil {
		return nil, err
	}
	saved, err := report.ReadPlan(content)
	if err != nil {
		return nil, cmp.Or(flags.Wrong(name, content, doctype.Report), exit.Usagef("%s %w", name, err))
	}
	return saved, nil
}

// A removal is a run that removes images.
type removal struct {
	*session.Session
	run    func(context.Context) (report.Report, error) // an error means that nothing was removed
	status func(*report.Report) error                   // the error that ends the command, or nil
}

// apply runs and removes. Unless yes is true, it first plans, shows the plan and asks; then
// it removes only images of the plan.
func (r *removal) apply(ctx context.Context, yes bool) error {
	if !yes {
		plan, err := r.Report(ctx, r.run)
		if err != nil || ctx.Err() != nil {
			return nothingRemoved(ctx, err)
		}
		if agreed, err := r.ask(ctx, plan); err != nil || !agreed {
			return err
		}
		r.Saved, r.Now = plan, time.Time{} // the answer may have taken long
	}
	r.Remover = r.Connection.Remover
	if r.RunLog != nil {
		ctx = r.RunLog.Watch(ctx)
		r.Log, r.Commit, r.Stop = function.NewLog(r.RunLog), r.RunLog.Commit, ctx.Done()
	}
	report, err := r.Report(ctx, r.run)
	if err != nil {
		return nothingRemoved(ctx, err)
	}
	noteEmpty(ctx, r.Session, report)
	function.LogRun(ctx, r.Log, report)
	logged, printed := r.RunLog.Close(), r.PrintReport(report)
	adviseWithoutPolicy(r.Session, report)
	if printed != nil && logged != nil {
		return fmt.Errorf("%w; %w", printed, logged)
	}
	return cmp.Or(printed, logged, r.status(report))
}

// nothingRemoved returns the error of a run that ended before it removed anything.
func nothingRemoved(ctx context.Context, err error) error {
	if ctx.Err() != nil { // a signal came, or the log failed
		return exit.Failuref("nothing was removed: %w", context.Cause(ctx))
	}
	return err
}

// ask shows the plan on the standard error stream: the standard output is for the report.
func (r *removal) ask(ctx context.Context, plan *report.Report) (agreed bool, err error) {
	noteEmpty(ctx, r.Session, plan)
	if _, err := io.WriteString(r.Stderr, r.shown(plan)); err != nil {
		return false, exit.Failuref("%w", err)
	}
	adviseWithoutPolicy(r.Session, plan)
	removals, _ := plan.Removals()
	if removals == 0 {
		fmt.Fprintln(r.Stderr, "Nothing to remove.")
		plan.Mode = config.Apply // in this mode a repository that a limit skips makes the run incomplete
		return false, r.status(plan)
	}
	return r.Confirm(question(plan, removals), "Nothing was removed.", "give --yes to "+r.Command.Name()+" without asking")
}

// shown returns the screen before the question: the images, if they fit on it.
func (r *removal) shown(plan *report.Report) string {
	const most = 20
	images := 0
	for i := range plan.Repositories {
		images += len(plan.Repositories[i].Images)
	}
	screen := r.Screen(r.Terminal.Err)
	if images <= most || r.Output == session.Wide {
		return screen.Images(plan)
	}
	return screen.Report(plan) + text.Fold("The images: ecrclean plan -o wide, with the same flags.\n", r.Terminal.Err.Width)
}

// question asks whether to apply a plan, which must have all its images.
func question(plan *report.Report, removals int) string {
	counts := map[string]int{"delete": removals}
	for _, r := range plan.Repositories {
		if r.Skipped != "" {
			continue
		}
		for _, im := range r.Images {
			switch {
			case len(im.ProtectedBy) > 0:
			case im.Verdict == evaluator.Untag:
				counts["remove tags from"]++
				counts["delete"]--
			case im.Archives():
				counts["archive"]++
				counts["delete"]--
			}
		}
	}
	var actions []string
	for _, verb := range []string{"delete", "archive", "remove tags from"} {
		if n := counts[verb]; n > 0 {
			actions = append(actions, verb+" "+text.Count(n, "image"))
		}
	}
	warning := ""
	if counts["delete"] > 0 {
		warning = " A deleted image cannot be restored."
	}
	return fmt.Sprintf("In account %s in %s, %s?%s", plan.Account, plan.Region, english.WordSeries(actions, "and"), warning)
}
