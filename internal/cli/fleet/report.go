package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	records "github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/stepfunctions"
)

const maxReport = 1 << 30 // 4,000 targets have about 4 MB

func showReport(f *session.Flags) *cobra.Command {
	m := &machine{Flags: f}
	c := &cobra.Command{
		Use:   "report [EXECUTION|FILE|s3://BUCKET/KEY]",
		Short: "Show the report of an execution that ended",
		Long: `Show the report of an execution of the state machine. EXECUTION is a name or an ARN;
without it, the report of the newest execution is shown. A FILE, - for the standard
input, or an S3 object needs no state machine. A name of a file that is there, has a
slash, or ends with .json is a FILE.

The exit status is 3 if a target or an account that was asked has failed.`,
		Example: examples("ecrclean fleet report", "ecrclean fleet report first -o wide", "ecrclean fleet report s3://my-bucket/fleet/first/report.json"),
		Args:    session.Args(0, 1, "at most one execution, file or S3 object"),
		RunE: func(c *cobra.Command, args []string) error {
			content, err := m.read(c.Context(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			r, err := parseReport(content)
			if err != nil {
				return err
			}
			return printReport(f, r, "")
		},
	}
	m.add(c)
	f.AddOutput(c, session.Table, session.Wide, session.JSON)
	return c
}

// read returns the text of the report of an execution, in a file or in S3.
func (m *machine) read(ctx context.Context, name string) ([]byte, error) {
	_, err := os.Stat(name)
	isFile := name == "-" || err == nil || strings.HasSuffix(name, ".json") || strings.Contains(name, "/")
	switch {
	case strings.HasPrefix(name, "s3://"):
		registry, err := m.Connect(ctx)
		if err != nil {
			return nil, exit.Usagef("%w", err)
		}
		return m.object(ctx, stepfunctions.New(registry.AWS, m.Now), name)
	case name != "" && isFile:
		return m.ReadInput(name, maxReport)
	}
	client, err := m.connect(ctx, name)
	if err != nil {
		return nil, err
	}
	arn, err := m.execution(ctx, client, name)
	if err != nil {
		return nil, err
	}
	e, err := client.Describe(ctx, arn)
	if err != nil {
		return nil, m.failed(err)
	}
	if e.Status == stepfunctions.Running {
		return nil, exit.Incompletef("execution %s still runs and has no report; to follow it, run: %s", e.Name, m.line("status", e.Name))
	}
	if v := verdictOf(e); v.Report != "" {
		return m.object(ctx, client, v.Report)
	}
	return nil, exit.Incompletef("execution %s has no report; to see why, run: %s", e.Name, m.line("status", e.Name))
}

func (m *machine) object(ctx context.Context, client stepfunctions.Client, location string) ([]byte, error) {
	r, _, err := awsclient.OpenObject(ctx, client.Config, location, m.Now)
	if err != nil {
		return nil, exit.Failuref("read the report: %w", err)
	}
	return env.ReadAll(location, r, maxReport)
}

func parseReport(content []byte) (*records.Report, error) {
	var r records.Report
	if err := json.Unmarshal(content, &r); err != nil || r.Version == 0 || r.Targets == nil {
		return nil, exit.Usagef("it is no report of the fleet; give the report.json of an execution, or its name")
	}
	if r.Version > records.Version {
		return nil, exit.Usagef("the report has version %d, and this ecrclean reads version %d; install a newer ecrclean", r.Version, records.Version)
	}
	return &r, nil
}

// printReport prints the report, says what to do next, and returns the error that ends the command.
func printReport(f *session.Flags, r *records.Report, next string) error {
	err := f.Print("report", text.JSON(r), func(on terminal.Terminal) string {
		return Screen(r, on, f.Output == session.Wide)
	})
	switch {
	case err != nil:
		return err
	case !r.Handled:
		return exit.Incompletef("not everything was handled: %s", unhandled(r))
	case next != "":
		f.Notef("%s", next)
	}
	return nil
}

// unhandled says how much was not handled. The result has the reasons.
func unhandled(r *records.Report) string {
	var parts []string
	if r.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s failed", r.Failed, text.Count(r.Expected, "target")))
	}
	unasked := 0
	for _, p := range r.Places {
		if p.Outcome == records.Failed {
			unasked++
		}
	}
	if unasked > 0 {
		parts = append(parts, places(unasked)+" could not be asked what is in use")
	}
	return cmp.Or(strings.Join(parts, ", "), strings.TrimSuffix(r.Message, "."))
}
