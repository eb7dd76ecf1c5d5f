package fleet

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	records "github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

func plan(f *session.Flags) *cobra.Command {
	var (
		targets     []string
		concurrency int
		out         string
	)
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what an execution would remove; remove nothing",
		Long: `Plan here what an execution of the state machine would remove, with the same steps: list
the registries in "targets", ask every account and Region what is in use, and plan each
registry. Nothing is removed or stored.

Your credentials must be able to assume the roles in roleArn. If only the function may
assume them, run "ecrclean fleet apply --plan-only" instead. The exit status is 3 if a
target or an account that was asked has failed.`,
		Example: examples("ecrclean fleet plan -c cleaner.json",
			"ecrclean fleet plan -c cleaner.json --targets '222222222222/eu-west-1,333333333333/*'",
			"ecrclean fleet plan -c cleaner.json -o json --out fleet.json"),
		Args: session.Args(0, 0, "no arguments; select registries with --targets"),
		RunE: func(c *cobra.Command, _ []string) error {
			if concurrency < 1 || concurrency > 64 {
				return exit.Usagef("--concurrency %d: must be from 1 to 64", concurrency)
			}
			f.Progress.Start()
			p := newPlayer(f, concurrency)
			r, err := p.play(c.Context(), targets)
			if err != nil {
				return err
			}
			return p.print(r, out)
		},
	}
	f.AddConfig(c)
	f.AddOutput(c, session.Table, session.Wide, session.JSON)
	c.Flags().Var(session.List(&targets), "targets", targetsUsage)
	c.Flags().IntVar(&concurrency, "concurrency", 4, "accounts and Regions to ask, and registries to plan, at a time")
	c.Flags().StringVar(&out, "out", "", "also write the report as JSON to this file, for ecrclean fleet report FILE")
	return c
}

// print prints the report, and writes it to the file out unless that is "".
func (p *player) print(r *records.Report, out string) error {
	if out != "" {
		if err := env.SaveFile(out, func(w io.Writer) error { return text.JSON(r)(w) }); err != nil {
			return exit.Failuref("write the report: %w", err)
		}
	}
	next := "to remove them, with the configuration of the function, run: " + p.Line(session.Only("targets", "profile"), "fleet", "apply")
	if removals(config.Plan, records.TargetEnd{Totals: &r.Totals}) == 0 {
		next = "nothing would be removed; there is nothing to apply"
	}
	err := printReport(p.Flags, r, next)
	if err != nil && strings.Contains(fmt.Sprint(r.Targets, r.Places), "AssumeRole") {
		p.Notef("a role could not be assumed: deploy/fleet-member.yaml lets only the function's role assume it; to plan with that role, run: %s",
			p.Line(session.Only("targets", "profile"), "fleet", "apply", "--plan-only"))
	}
	return err
}
