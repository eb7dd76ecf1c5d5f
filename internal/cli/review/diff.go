package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Diff returns the command diff.
func Diff(f *session.Flags) *cobra.Command {
	var detailed bool
	c := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Compare two saved plans, or a saved plan with a new one",
		Long: `Compare the plans in the files A and B, or the plan in A with a new plan: which images
would be removed in addition (+), which would not be removed any more (-), and for which
the verdict, the rule or the protection is another one (~). A and B are files of
plan --out, or reports; one of them may be - for the standard input.

Without B, diff plans with the usual flags, and with the limits that were typed for A. It
removes nothing. A may be older than 24 hours. The repositories of A that the flags
--repositories and --exclude do not select are not compared.`,
		Args: cobra.MatchAll(session.Args(1, 2, "one or two saved plans"), func(_ *cobra.Command, args []string) error {
			if slices.Equal(args, []string{"-", "-"}) {
				return exit.Usagef("only one of the two plans can be the standard input")
			}
			return nil
		}),
		RunE: func(c *cobra.Command, args []string) error { return diff(c, f, args, detailed) },
	}
	f.AddRegistry(c)
	f.AddPolicy(c)
	f.AddRepositories(c)
	f.AddLimits(c)
	f.AddDeadline(c)
	f.AddExec(c)
	session.AddDetailedExitcode(c, &detailed, "if there is a difference")
	return c
}

// diff compares the plans that the arguments name. Without a second one it makes a new plan.
func diff(c *cobra.Command, f *session.Flags, args []string, detailed bool) (err error) {
	var of comparison
	if of.from, err = readPlan(f, args[0]); err != nil {
		return err
	}
	second := ""
	if len(args) == 2 {
		second = args[1]
		err = of.readSecond(c.Flags(), f, second)
	} else {
		err = of.planNow(c.Context(), f, args[0])
	}
	if err != nil {
		return err
	}
	d, err := of.run()
	if err != nil {
		return err
	}
	d.From.File, d.To.File = args[0], second
	d.warn(f)
	if err := f.Print("difference", text.JSON(d), func(on terminal.Terminal) string { return d.table(on, f.Now()) }); err != nil {
		return err
	}
	if second == "" {
		err = session.Status(of.to)
	}
	if n := d.differences(); err == nil && detailed && n > 0 {
		return exit.Changesf("%s", text.Count(n, "difference"))
	}
	return err
}

func (of *comparison) readSecond(flags *pflag.FlagSet, f *session.Flags, name string) (err error) {
	for _, flag := range []string{"config", "policy", "repositories", "exclude"} {
		if flags.Changed(flag) {
			return exit.Usagef("--%s is for a new plan and has no effect on two files; leave it out, or leave out %s", flag, name)
		}
	}
	of.to, err = readPlan(f, name)
	return err
}

// readPlan reads a report that has all its images.
func readPlan(f *session.Flags, name string) (*report.Report, error) {
	in, err := open(f.Env, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // it was only read
	if in.log {
		return nil, exit.Usagef("%s is no saved plan or report; save a plan with ecrclean plan --out plan.json", title(name))
	}
	r, err := readReport(name, in)
	if err == nil && r.Omitted != nil {
		return nil, exit.Usagef("%s was shortened and lacks images; save a plan with ecrclean plan --out plan.json", title(name))
	}
	return r, err
}

// planNow makes a new plan as the second one. Name is the file of the first plan.
func (of *comparison) planNow(ctx context.Context, f *session.Flags, name string) error {
	if err := f.UseLimits(of.from.Limits); err != nil {
		return err
	}
	s, err := f.Open(ctx, config.Plan)
	if err != nil {
		return err
	}
	if region := of.from.Region; region != s.Region {
		return exit.Usagef("%s is of Region %s, and this run is for %s; give --region %s", title(name), region, s.Region, region)
	}
	of.to, err = s.Report(ctx, s.Run)
	of.from.Repositories = slices.DeleteFunc(of.from.Repositories, func(r report.Repository) bool { return !s.Config.Repositories.Ask(r.Name) })
	of.existing = func(repository string, digests []string) (map[string]evaluator.Image, error) {
		return apply.Describe(ctx, s.Connection.Remover, repository, digests)
	}
	return err
}

// warn says which differences of the two plans are not those of the registry.
func (d *Difference) warn(f *session.Flags) {
	if d.From.Configuration != d.To.Configuration {
		f.Notef("the plans were made with different configurations or policies")
	}
	for _, side := range []Side{d.From, d.To} {
		if side.Incomplete {
			f.Notef("%s is incomplete, and this may cause differences", cmp.Or(side.File, "the new plan"))
		}
	}
}

// sameRegistry returns an error if the plans are of different registries. The account of an
// empty registry is not known.
func sameRegistry(from, to *report.Report) error {
	accounts := from.Account != to.Account && from.Account != "" && to.Account != ""
	if !accounts && from.Region == to.Region {
		return nil
	}
	where := func(r *report.Report) string { return fmt.Sprintf("account %s, %s", cmp.Or(r.Account, "-"), r.Region) }
	return exit.Usagef("the plans are of different registries, %s and %s; compare plans of one account and Region", where(from), where(to))
}
