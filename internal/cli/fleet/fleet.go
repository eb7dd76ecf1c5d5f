// Package fleet has the commands for registries of many accounts and Regions. The command plan
// plays the steps of an execution here. The others start and read those of the state machine.
package fleet

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/stepfunctions"
	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
)

// Command returns the command fleet with its commands.
func Command(f *session.Flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "fleet",
		Short: "Plan and clean the registries of many accounts and Regions",
		Long: `Plan and clean the registries in "targets" of the configuration.

"fleet plan" works here and removes nothing. "fleet apply" starts the state machine of
deploy/fleet.yaml, "fleet status" follows its execution, and "fleet report" shows the
report that the execution has written.`,
		Args: cobra.ArbitraryArgs,
	}
	subs := []*cobra.Command{plan(f), apply(f), status(f), showReport(f)}
	names := make([]string, len(subs))
	for i, sub := range subs {
		names[i] = sub.Name()
		run := sub.RunE
		sub.RunE = func(c *cobra.Command, args []string) error {
			f.Command = c
			return run(c, args)
		}
		c.AddCommand(sub)
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return exit.Usagef("unknown command fleet %q%s; use %s", args[0], nearest.Hint(args[0], names), english.WordSeries(names, "or"))
		}
		c.SetOut(c.ErrOrStderr())
		return cmp.Or(c.Help(), exit.Usagef("a command of fleet is missing: %s", english.WordSeries(names, "or")))
	}
	return c
}

func examples(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }

const machineVariable = "ECRCLEAN_STATE_MACHINE"

// A machine is the state machine that the flags name.
type machine struct {
	*session.Flags
	arn string
}

func (m *machine) add(c *cobra.Command) {
	c.Flags().StringVar(&m.arn, "state-machine", m.Getenv(machineVariable),
		"ARN of the state machine, an output of the stack of deploy/fleet.yaml (environment: "+machineVariable+")")
	m.AddAccount(c)
}

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
var (
	machineARN   = regexp.MustCompile(`^arn:aws[a-z-]*:states:([a-z0-9-]+):([0-9]{12}):stateMachine:([\w-]+)$`)
	executionARN = regexp.MustCompile(`^arn:aws[a-z-]*:states:([a-z0-9-]+):[0-9]{12}:execution:[\w-]+:[\w-]+$`)
	plainName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
)

// connect connects to the Region of the state machine, or of the execution if its ARN is given.
func (m *machine) connect(ctx context.Context, execution string) (stepfunctions.Client, error) {
	parts := machineARN.FindStringSubmatch(m.arn)
	if of := executionARN.FindStringSubmatch(execution); of != nil {
		parts = of
	}
	switch {
	case parts == nil && m.arn == "":
		return stepfunctions.Client{}, exit.Usagef("the state machine is missing; give --state-machine ARN, or set %s; "+
			"the ARN is an output of the stack of deploy/fleet.yaml", machineVariable)
	case parts == nil:
		return stepfunctions.Client{}, exit.Usagef("--state-machine %s: it must be the ARN of a state machine, "+
			"such as arn:aws:states:eu-west-1:111111111111:stateMachine:ecr-cleaner-fleet", m.arn)
	}
	m.UseRegion(parts[1])
	registry, err := m.Connect(ctx)
	if err != nil {
		return stepfunctions.Client{}, exit.Usagef("%w", err)
	}
	return stepfunctions.New(registry.AWS, m.Now), nil
}

// execution returns the ARN of the execution with the name or ARN, or of the newest one.
func (m *machine) execution(ctx context.Context, client stepfunctions.Client, name string) (string, error) {
	switch {
	case executionARN.MatchString(name):
		return name, nil
	case name != "" && !plainName.MatchString(name):
		return "", exit.Usagef("%s is neither the name nor the ARN of an execution; to see the executions, run: "+
			"aws stepfunctions list-executions --state-machine-arn %s", name, m.arn)
	case name != "":
		return strings.Replace(m.arn, ":stateMachine:", ":execution:", 1) + ":" + name, nil
	}
	newest, err := client.Executions(ctx, m.arn, "", 1)
	switch {
	case err != nil:
		return "", m.failed(err)
	case len(newest) == 0:
		return "", exit.Usagef("%s has no executions; start one: %s", m.arn, m.line("apply"))
	}
	return newest[0].ExecutionArn, nil
}

// line returns a command line of fleet with the flags that name the state machine.
func (m *machine) line(words ...string) string {
	return m.Line(session.Only("state-machine", "profile", "region"), append([]string{"fleet"}, words...)...)
}

// failed adds what to do to an error of Step Functions.
func (m *machine) failed(err error) error {
	advice := map[string]string{
		"ExecutionAlreadyExists": "an execution with this name exists, and names stay taken for 90 days; give another --name, or none",
		"StateMachineDoesNotExist": "check the ARN, and that --profile is of its account: the ARN is an output of the stack of " +
			"deploy/fleet.yaml",
		"ExecutionDoesNotExist": "check the name; executions are kept for 90 days after their end; to see the newest, run: " + m.line("status"),
		"StateMachineDeleting":  "the stack is being deleted; deploy it again",
	}
	if code := errorCode(err); advice[code] != "" {
		return exit.Failuref("%w; %s", err, advice[code])
	}
	return exit.Failuref("%w", err)
}

func shortName(executionARN string) string {
	return executionARN[strings.LastIndexByte(executionARN, ':')+1:]
}

func places(n int) string {
	return fmt.Sprint(n) + " " + english.PluralWord(n, "account and Region", "accounts and Regions")
}
