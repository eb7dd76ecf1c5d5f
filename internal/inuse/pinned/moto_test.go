//go:build integration

package pinned_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventstypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// Each user of a task definition is found at moto's server, and not when it is deleted.
func TestMoto(t *testing.T) {
	m := moto{t, inusetest.ConfigFor(inusetest.Moto(t))}
	users := map[string]func() (remove func()){
		"task-definition/job:1 by events:rule/orders/paid":        m.rule,
		"task-definition/job:2 by scheduler:schedule/jobs/weekly": m.schedule,
		"job:3 by scheduler:schedule/default/once":                m.universal,
		"task-definition/job:4 by pipes:pipe/orders":              m.pipe,
		"job:5 by states:stateMachine:flow":                       m.stateMachine,
	}
	var want []string
	removes := map[string]func(){}
	for line, add := range users {
		removes[line] = add()
		want = append(want, line)
	}
	m.wantDefinitions(want)
	for line, remove := range removes {
		remove()
		want = slices.DeleteFunc(want, func(other string) bool { return other == line })
		m.wantDefinitions(want)
	}
}

type moto struct {
	*testing.T
	cfg aws.Config
}

func (m moto) wantDefinitions(want []string) {
	m.Helper()
	got, err := search(m.T, m.cfg, config.Default().Protect.ECS)
	awstest.NoError(m, err)
	slices.Sort(want)
	awstest.Equal(m, "definitions", want, lines(got), cmpopts.EquateEmpty())
}

// do ends the test if a call whose answer does not matter has an error.
func (m moto) do(_ any, err error) {
	m.Helper()
	awstest.NoError(m, err)
}

const role = "arn:aws:iam::123456789012:role/x"

func (m moto) rule() (remove func()) {
	client := eventbridge.NewFromConfig(m.cfg)
	bus, name := aws.String("orders"), aws.String("paid")
	m.do(client.CreateEventBus(m.Context(), &eventbridge.CreateEventBusInput{Name: bus}))
	m.do(client.PutRule(m.Context(), &eventbridge.PutRuleInput{
		EventBusName: bus, Name: name, EventPattern: aws.String(`{"source": ["x"]}`), State: eventstypes.RuleStateDisabled,
	}))
	m.do(client.PutTargets(m.Context(), &eventbridge.PutTargetsInput{EventBusName: bus, Rule: name, Targets: []eventstypes.Target{{
		Id: aws.String("1"), Arn: aws.String(cluster), RoleArn: aws.String(role),
		EcsParameters: &eventstypes.EcsParameters{TaskDefinitionArn: aws.String(job + ":1")},
	}}}))
	return func() {
		m.do(client.RemoveTargets(m.Context(), &eventbridge.RemoveTargetsInput{EventBusName: bus, Rule: name, Ids: []string{"1"}}))
	}
}

func (m moto) schedule() (remove func()) {
	m.do(scheduler.NewFromConfig(m.cfg).CreateScheduleGroup(m.Context(), &scheduler.CreateScheduleGroupInput{Name: aws.String("jobs")}))
	return m.createSchedule("jobs", "weekly", &schedulertypes.Target{
		Arn: aws.String(cluster), RoleArn: aws.String(role),
		EcsParameters: &schedulertypes.EcsParameters{TaskDefinitionArn: aws.String(job + ":2")},
	})
}

func (m moto) universal() (remove func()) {
	return m.createSchedule("default", "once", &schedulertypes.Target{
		Arn: aws.String(runTask), RoleArn: aws.String(role), Input: aws.String(`{"Cluster": "prod", "TaskDefinition": "job:3"}`),
	})
}

func (m moto) createSchedule(group, name string, target *schedulertypes.Target) (remove func()) {
	client := scheduler.NewFromConfig(m.cfg)
	m.do(client.CreateSchedule(m.Context(), &scheduler.CreateScheduleInput{
		GroupName: &group, Name: &name, ScheduleExpression: aws.String("rate(7 days)"), Target: target,
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
	}))
	return func() {
		m.do(client.DeleteSchedule(m.Context(), &scheduler.DeleteScheduleInput{GroupName: &group, Name: &name}))
	}
}

func (m moto) pipe() (remove func()) {
	client := pipes.NewFromConfig(m.cfg)
	m.do(client.CreatePipe(m.Context(), &pipes.CreatePipeInput{
		Name: aws.String("orders"), RoleArn: aws.String(role), Source: aws.String("arn:aws:sqs" + account + "q"), Target: aws.String(cluster),
		TargetParameters: &pipestypes.PipeTargetParameters{
			EcsTaskParameters: &pipestypes.PipeTargetEcsTaskParameters{TaskDefinitionArn: aws.String(job + ":4")},
		},
	}))
	return func() { m.do(client.DeletePipe(m.Context(), &pipes.DeletePipeInput{Name: aws.String("orders")})) }
}

func (m moto) stateMachine() (remove func()) {
	client := sfn.NewFromConfig(m.cfg)
	out, err := client.CreateStateMachine(m.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("flow"), RoleArn: aws.String(role), Definition: aws.String(runs("job:5")),
	})
	awstest.NoError(m, err)
	return func() {
		m.do(client.DeleteStateMachine(m.Context(), &sfn.DeleteStateMachineInput{StateMachineArn: out.StateMachineArn}))
	}
}
