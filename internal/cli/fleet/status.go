package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	records "github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/stepfunctions"
)

const pollEvery = 5 * time.Second

func status(f *session.Flags) *cobra.Command {
	m := &machine{Flags: f}
	var watch bool
	c := &cobra.Command{
		Use:   "status [EXECUTION]",
		Short: "Follow an execution until it ends, and say how it ended",
		Long: `Show how far an execution of the state machine is, until it ends. EXECUTION is a name or
an ARN; without it, the newest execution is shown.

The exit status is 0 if the execution has handled every target (or still runs, with
--watch=false), 3 if it has not or was stopped, and 1 if it cannot be read.`,
		Example: examples("ecrclean fleet status", "ecrclean fleet status first", "ecrclean fleet status --watch=false"),
		Args:    session.Args(0, 1, "at most one EXECUTION, a name or an ARN"),
		RunE: func(c *cobra.Command, args []string) error {
			return m.follow(c.Context(), strings.Join(args, ""), watch, pollEvery)
		},
	}
	m.add(c)
	c.Flags().BoolVar(&watch, "watch", true, "wait until the execution ends")
	return c
}

func (m *machine) follow(ctx context.Context, name string, watch bool, every time.Duration) error {
	client, err := m.connect(ctx, name)
	if err != nil {
		return err
	}
	arn, err := m.execution(ctx, client, name)
	if err != nil {
		return err
	}
	if m.Terminal.Err.Width > 0 && watch {
		m.Progress.Start()
	}
	last := ""
	for {
		e, err := client.Describe(ctx, arn)
		if err != nil {
			return m.failed(err)
		}
		if e.Status != stepfunctions.Running {
			return m.ended(e)
		}
		line, err := m.progress(ctx, client, e)
		switch {
		case err != nil:
			return m.failed(err)
		case !watch:
			_, err := fmt.Fprintln(m.Stdout, line)
			return err
		case m.Terminal.Err.Width > 0:
			m.Progress.Phase(line)
		case line != last:
			m.Notef("%s", line)
		}
		last = line
		select {
		case <-ctx.Done():
			return exit.Failuref("%w; the execution goes on; to follow it again, run: %s", context.Cause(ctx), m.line("status", e.Name))
		case <-time.After(every):
		}
	}
}

// progress returns how far the newest map of a running execution is.
func (m *machine) progress(ctx context.Context, client stepfunctions.Client, e stepfunctions.Execution) (string, error) {
	runs, err := client.MapRuns(ctx, e.ExecutionArn)
	if err != nil || len(runs) == 0 {
		return "execution " + e.Name + ": listing targets", err
	}
	newest := slices.MaxFunc(runs, func(a, b stepfunctions.MapRun) int { return cmp.Compare(a.StartDate, b.StartDate) })
	n, what := newest.ItemCounts, "registries handled"
	if newest.Label() == "Know" {
		what = "accounts and Regions asked"
	}
	line := fmt.Sprintf("execution %s: %d of %d %s", e.Name, n.Total-n.Pending-n.Running, n.Total, what)
	if bad := n.Failed + n.TimedOut + n.Aborted; bad > 0 {
		line += fmt.Sprintf(", %d failed", bad)
	}
	return line, nil
}

// A verdict is the judge's answer, or the cause of a failed execution.
type verdict struct {
	records.JudgeAnswer
	Message string `json:"message"`
	Act     *bool  `json:"act"`
}

// verdictOf returns the verdict of an execution that ended. It is empty if the judge gave none.
func verdictOf(e stepfunctions.Execution) (v verdict) {
	if json.Unmarshal([]byte(cmp.Or(e.Output, e.Cause)), &v) != nil {
		return verdict{}
	}
	return v
}

// ended says how an execution ended.
func (m *machine) ended(e stepfunctions.Execution) error {
	v := verdictOf(e)
	next := ""
	if v.Report != "" {
		next = "; to see the report, run: " + m.Line(session.Only("profile"), "fleet", "report", v.Report, "--region", regionOf(e.ExecutionArn))
	}
	switch {
	case e.Status == stepfunctions.Succeeded && v.Report != "":
		line := fmt.Sprintf("execution %s has handled %s: %d done, %d skipped", e.Name, text.Count(v.Expected, "target"), v.Done, v.Skipped)
		if _, err := fmt.Fprintln(m.Stdout, line); err != nil {
			return exit.Failuref("write the status: %w", err)
		}
		m.Notef("%s", strings.TrimPrefix(next, "; "))
		return nil
	case e.Status == stepfunctions.Succeeded:
		return exit.Incompletef("execution %s ended without acting, because another one was running; start it again when that has ended: %s",
			e.Name, m.line("apply"))
	case e.Status == stepfunctions.Failed && v.Report != "":
		return exit.Incompletef("execution %s has not handled everything: %s%s", e.Name, strings.TrimSuffix(v.Message, "."), next)
	}
	if e.Error == "ModeRefused" {
		return exit.Incompletef("execution %s has removed nothing, because the stack has the parameter Mode=plan; "+
			"deploy deploy/fleet.yaml with Mode=apply, or plan with the function's roles: %s", e.Name, m.line("apply", "--plan-only"))
	}
	why := strings.TrimSuffix(strings.Join(strings.Fields(e.Error+" "+e.Cause), " "), ".")
	if why != "" {
		why = ": " + text.Shorten(why, 400)
	}
	return exit.Incompletef("execution %s ended as %s%s; its steps: aws stepfunctions get-execution-history --reverse-order --execution-arn %s",
		e.Name, e.Status, why, e.ExecutionArn)
}

func regionOf(arn string) string { return strings.SplitN(arn+":::::", ":", 5)[3] }
