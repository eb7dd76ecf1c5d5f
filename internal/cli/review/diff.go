package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
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
		RunE: func(c *cobra.Command, args []string) error {
			d, status, err := difference(c, f, args)
			if err != nil {
				return err
			}
			if err := f.Print("difference", text.JSON(d), func(on terminal.Terminal) string { return d.table(on, f.Now()) }); err != nil {
				return err
			}
			if n := d.differences(); status == nil && detailed && n > 0 {
				status = exit.Changesf("%s", text.Count(n, "difference"))
			}
			return status
		},
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

// difference compares what the arguments name. The status is the error of an incomplete new
// plan, or nil.
func difference(c *cobra.Command, f *session.Flags, args []string) (d *Difference, status, err error) {
	from, err := readPlan(f, args[0])
	if err != nil {
		return nil, nil, err
	}
	if len(args) == 1 {
		return withNow(c.Context(), f, args[0], from)
	}
	for _, flag := range []string{"config", "policy", "repositories", "exclude"} {
		if c.Flags().Changed(flag) {
			return nil, nil, exit.Usagef("--%s is for a new plan and has no effect on two files; leave it out, or leave out %s", flag, args[1])
		}
	}
	to, err := readPlan(f, args[1])
	if err != nil {
		return nil, nil, err
	}
	d, err = comparison{from: from, to: to}.run()
	if err != nil {
		return nil, nil, err
	}
	d.From.File, d.To.File = args[0], args[1]
	d.warn(f)
	return d, nil, nil
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

// withNow compares a plan with a new plan.
func withNow(ctx context.Context, f *session.Flags, name string, from *report.Report) (d *Difference, status, err error) {
	if err := f.UseLimits(from.Limits); err != nil {
		return nil, nil, err
	}
	s, err := f.Open(ctx, config.Plan)
	if err != nil {
		return nil, nil, err
	}
	if from.Region != s.Region {
		return nil, nil, exit.Usagef("%s is of Region %s, and this run is for %s; give --region %s", title(name), from.Region, s.Region, from.Region)
	}
	to, err := s.Report(ctx, s.Run)
	if err != nil {
		return nil, nil, err
	}
	from.Repositories = slices.DeleteFunc(from.Repositories, func(r report.Repository) bool { return !s.Config.Repositories.Ask(r.Name) })
	d, err = comparison{from: from, to: to, existing: func(repository string, digests []string) (map[string]bool, error) {
		images, err := apply.Describe(ctx, s.Connection.Remover, repository, digests)
		there := map[string]bool{}
		for digest := range images {
			there[digest] = true
		}
		return there, err
	}}.run()
	if err != nil {
		return nil, nil, err
	}
	d.From.File = name
	d.warn(f)
	return d, session.Status(to), nil
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
