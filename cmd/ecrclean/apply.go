package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// limits are the limits that a person can type.
type limits struct {
	maxDeletions, maxDeletionsPerRepository, maxDeletedPercent count
}

// A count is the value of a flag: an integer as in a configuration. The flags of
// package pflag take 010 for 8.
type count int

func (c *count) String() string { return strconv.Itoa(int(*c)) }

// Type is the word for the value in the help.
func (*count) Type() string { return "int" }

// Set reads the value.
func (c *count) Set(text string) error {
	number, ok := decimal.Parse(text)
	n, fits := number.Int()
	if !ok || !fits {
		return errors.New("must be an integer such as 100")
	}
	*c = count(n)
	return nil
}

func (l *limits) flags(c *cobra.Command) {
	f := c.Flags()
	f.Var(&l.maxDeletions, "max-deletions", "remove at most this many images in all, whatever the configuration says")
	f.Var(&l.maxDeletionsPerRepository, "max-deletions-per-repository", "skip repositories in which more images would be removed, whatever the configuration says")
	f.Var(&l.maxDeletedPercent, "max-deleted-percent", "skip repositories in which more than this percentage of the images would be removed, whatever the configuration says")
}

// check refuses limits that make no sense.
func (l *limits) check() error {
	if l.maxDeletions < 0 || l.maxDeletionsPerRepository < 0 || l.maxDeletedPercent < 0 || l.maxDeletedPercent > 100 {
		return usageError(errors.New("limits must not be negative, and --max-deleted-percent at most 100"))
	}
	return nil
}

// override puts the limits that were typed into the configuration.
func (l *limits) override(c *cobra.Command, configuration config.Config) config.Config {
	typed := func(name string, value count) *int {
		if !c.Flags().Changed(name) {
			return nil
		}
		return new(int(value))
	}
	return configuration.Override(
		typed("max-deletions", l.maxDeletions),
		typed("max-deletions-per-repository", l.maxDeletionsPerRepository),
		typed("max-deleted-percent", l.maxDeletedPercent))
}

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
		s.Saved = plan
		s.Now = s.now().UTC()
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
	s.Log, s.Stop = function.NewLog(s.log), ctx.Done()
	return ctx, loggedRemover{s.registry.Remover, s.log}
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

// ask shows a plan and asks whether to apply it. The plan goes to the standard
// error stream: the standard output is for the report on what was done.
func (s *session) ask(plan *cleaner.Report) (agreed bool, err error) {
	if err := printTable(s.stderr, plan); err != nil {
		return false, failure(err)
	}
	removals, _ := plan.Removals()
	if removals == 0 {
		fmt.Fprintln(s.stderr, "Nothing to remove.")
		plan.Mode = config.Apply // for which a limit stood in the way
		return false, s.judge(plan)
	}
	return s.confirm(question(plan, removals), "Nothing was removed.", "give --yes to apply without asking")
}

// question asks whether to carry out a plan that has all its images.
func question(plan *cleaner.Report, removals int) string {
	archives, untags := 0, 0
	for i := range plan.Repositories {
		r := &plan.Repositories[i]
		if r.Skipped != "" {
			continue
		}
		for j := range r.Images {
			switch im := &r.Images[j]; {
			case len(im.ProtectedBy) > 0:
			case im.Verdict == evaluator.Untag:
				untags++
			case im.Verdict == evaluator.Transition, im.OnExpire == config.ArchiveExpired:
				archives++
			}
		}
	}
	deletes := removals - archives - untags
	if deletes == removals {
		return fmt.Sprintf("Remove %d images from account %s in %s? This cannot be undone.", removals, plan.Account, plan.Region)
	}
	var parts []string
	warning := ""
	if deletes > 0 {
		parts = append(parts, "delete "+imagesText(deletes))
		warning = " A deleted image cannot be restored."
	}
	if archives > 0 {
		parts = append(parts, "archive "+imagesText(archives))
	}
	if untags > 0 {
		parts = append(parts, "remove tags from "+imagesText(untags))
	}
	last := len(parts) - 1
	what := strings.TrimPrefix(strings.Join(parts[:last], ", ")+" and "+parts[last], " and ")
	return fmt.Sprintf("In account %s in %s, %s?%s", plan.Account, plan.Region, what, warning)
}

func imagesText(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

// confirm asks on the standard error stream; only an answer of "yes" is one. To
// any other it says what that means, and where nobody answers what to do
// instead.
func (s *setup) confirm(question, declined, instead string) (agreed bool, err error) {
	fmt.Fprintf(s.stderr, "\n%s Type yes to go on: ", question)
	answer, err := bufio.NewReader(s.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(s.stderr, "\n"+declined)
		return false, failure(fmt.Errorf("read the answer: %w", err))
	}
	if strings.TrimSpace(answer) == "yes" {
		fmt.Fprintln(s.stderr)
		return true, nil
	}
	fmt.Fprintln(s.stderr, "\n"+declined)
	if errors.Is(err, io.EOF) && strings.TrimSpace(answer) == "" {
		return false, usageError(errors.New("there is nobody to ask; " + instead))
	}
	return false, nil
}
