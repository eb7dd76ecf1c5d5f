// Package review has the commands for saved plans, reports and logs. Show prints one of them,
// and diff compares two plans, or a plan with now.
package review

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/inspect"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Show returns the command show.
func Show(f *session.Flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Print a saved plan, a report or the log of a run",
		Long: `Print what a run has written, as the run itself prints it. FILE, or - for the standard
input, is recognised by its content:

  a saved plan   of plan --out, and whether it can still be applied
  a report       of apply, delete or the function, as --output json or
                 "aws lambda invoke" writes it
  a log          of the function, or of --log: as ecrclean audit prints it

show calls no AWS service.`,
		Args: session.Args(1, 1, "a file, or - for the standard input"),
		RunE: func(_ *cobra.Command, args []string) error { return show(f, args[0]) },
	}
	f.AddOutput(c, session.Table, session.Wide, session.CSV, session.JSON)
	return c
}

func show(f *session.Flags, name string) error {
	in, err := open(f.Env, name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	if in.log {
		return showLog(f, name, in)
	}
	r, err := readReport(name, in)
	if err != nil {
		return err
	}
	return showReport(f, name, r)
}

func showLog(f *session.Flags, name string, in io.Reader) error {
	if !slices.Contains([]session.Output{session.Table, session.JSON}, f.Output) {
		return exit.Usagef("%s is no report, and --output %s is for reports only; a log is printed as table or json", title(name), f.Output)
	}
	err := inspect.AuditLog(f, title(name), in, "")
	if errors.Is(err, inspect.ErrNoRun) {
		return exit.Usagef("%s %s", title(name), unknown)
	}
	return err
}

// readReport reads a report. The error names any other document.
func readReport(name string, in io.Reader) (*report.Report, error) {
	r, m, err := read(in)
	switch {
	case err != nil:
		return nil, exit.Usagef("%s %w", title(name), err)
	case r == nil:
		return nil, notReport(name, m)
	}
	return r, nil
}

func showReport(f *session.Flags, name string, r *report.Report) error {
	if f.Output == session.Table || f.Output == session.Wide {
		var head text.Lines
		head.Addf("%s, run %s", origin(r, f.Now()), r.RunID)
		if limits := session.LimitFlags(r.Limits); limits != "" {
			head.Addf("typed limits: %s", limits)
		}
		if _, err := fmt.Fprintln(f.Stdout, text.Fold(head.String(), f.Terminal.Out.Width)); err != nil {
			return exit.Failuref("write the report: %w", err)
		}
	}
	if err := f.PrintReport(r); err != nil {
		return err
	}
	if o := r.Omitted; o != nil {
		f.Notef("the report was shortened; %s, %s and %s are missing here, and ecrclean show LOG has them if LOG is the log of the run",
			text.Count(o.Images, "image"), text.Count(o.Findings, "finding"), text.Count(o.Repositories, "repository"))
	}
	if err := session.Status(r); err != nil {
		f.Notef("%s", err)
	}
	if r.Mode == config.Plan {
		f.Notef("%s", next(f, name, r, f.Now()))
	}
	return nil
}

// origin says what kind of report it is, and when and where it was made.
func origin(r *report.Report, now time.Time) string {
	return fmt.Sprintf("%s of %s, %s; account %s, %s", kindOf(r), text.Time(r.Start),
		humanize.RelTime(r.Start, now, "ago", "in the future"), cmp.Or(r.Account, "-"), r.Region)
}

func kindOf(r *report.Report) string {
	if r.Mode == config.Plan {
		return "plan"
	}
	return "report of " + string(r.Mode)
}

// next says whether a plan can be applied, and which command comes next.
func next(f *session.Flags, name string, r *report.Report, now time.Time) string {
	const again = "plan again with ecrclean plan --out plan.json"
	removals, _ := r.Removals()
	until := r.Start.Add(session.MaxPlanAge)
	if name == "-" {
		name = "FILE" // apply reads no standard input
	}
	switch {
	case r.Omitted != nil:
		return "it lacks images and cannot be applied; " + again
	case removals == 0:
		return "nothing would be removed; there is nothing to apply"
	case now.After(until):
		return "it is older than 24 hours and cannot be applied any more; " + again
	case r.Start.Sub(now) > time.Hour:
		return "it was made in the future and cannot be applied; check the clock and " + again
	}
	more := []string{"--region", r.Region}
	if policy, isFile := session.SavedPolicy(r); !isFile && policy != string(config.Attached) && f.Getenv("CLEANER_CONFIG") == "" {
		more = slices.Insert(more, 0, "--config", "CONFIG")
	}
	return fmt.Sprintf("it can be applied until %s with the same configuration and policy; run: %s",
		text.Time(until), f.LineToApply(session.Only(), name, r, more...))
}
