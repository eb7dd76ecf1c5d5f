package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/stepfunctions"
)

// A request is the input of an execution.
type request struct {
	Mode    config.Mode `json:"mode"`
	Targets []string    `json:"targets,omitempty"`
}

const targetsUsage = "only these registries: ACCOUNT/REGION; * matches any characters (repeatable, comma-separated)"

func apply(f *session.Flags) *cobra.Command {
	m := &machine{Flags: f}
	var (
		targets  []string
		name     string
		yes      bool
		planOnly bool
	)
	c := &cobra.Command{
		Use:   "apply",
		Short: "Start an execution of the state machine, after asking",
		Long: `Start an execution of the state machine that cleans the registries in "targets" of the
function's configuration. With --plan-only, the execution plans with the function's
roles and removes nothing.

If an execution runs already, none is started and the exit status is 3.`,
		Example: examples(
			"ecrclean fleet apply --state-machine arn:aws:states:eu-west-1:111111111111:stateMachine:fleet",
			"ecrclean fleet apply --targets '222222222222/*' --name first --yes",
			"ecrclean fleet apply --plan-only --yes"),
		Args: session.Args(0, 0, "no arguments; select registries with --targets"),
		RunE: func(c *cobra.Command, _ []string) error {
			if name != "" && !plainName.MatchString(name) {
				return exit.Usagef("--name %s: it must have at most 80 letters, digits, - and _", name)
			}
			r := request{config.Apply, targets}
			if planOnly {
				r.Mode = config.Plan
			}
			return m.start(c.Context(), name, r, yes)
		},
	}
	m.add(c)
	c.Flags().Var(session.List(&targets), "targets", targetsUsage)
	c.Flags().StringVar(&name, "name", "", "name of the execution; without it, Step Functions chooses one")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&planOnly, "plan-only", false, "let the execution plan and remove nothing")
	return c
}

func (m *machine) start(ctx context.Context, name string, r request, yes bool) error {
	client, err := m.connect(ctx, "")
	if err != nil {
		return err
	}
	running, err := client.Executions(ctx, m.arn, stepfunctions.Running, 0)
	if err != nil {
		return m.failed(err)
	}
	if len(running) > 0 {
		return exit.Incompletef("nothing was started: execution %s runs since %s, and a second one would end without acting; to follow it, run: %s",
			running[0].Name, running[0].StartDate.Time().Format("2006-01-02 15:04 MST"), m.line("status", running[0].Name))
	}
	if !yes && r.Mode == config.Apply {
		agreed, err := m.Confirm(m.question(r), "Nothing was started.", "give --yes to fleet apply without asking")
		if err != nil || !agreed {
			return err
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		return exit.Failuref("%w", err)
	}
	arn, err := client.Start(ctx, m.arn, name, string(text))
	if err != nil {
		return m.failed(err)
	}
	if _, err := fmt.Fprintln(m.Stdout, arn); err != nil {
		return exit.Failuref("write the ARN of the execution: %w", err)
	}
	m.Notef("to follow it, run: %s", m.line("status", shortName(arn)))
	return nil
}

func (m *machine) question(r request) string {
	which := "all targets of the function's configuration"
	if len(r.Targets) > 0 {
		which = "the targets " + strings.Join(r.Targets, ", ")
	}
	parts := machineARN.FindStringSubmatch(m.arn)
	return fmt.Sprintf("With the state machine %s of account %s in %s, clean %s? A deleted image cannot be restored.",
		parts[3], parts[2], parts[1], which)
}

func errorCode(err error) string {
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		return answer.ErrorCode()
	}
	return ""
}
