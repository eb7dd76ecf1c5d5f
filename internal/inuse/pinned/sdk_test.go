package pinned_test

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/pinned"
)

// The SDK's clients send the same requests, and read the same answers.
func TestTheSDKSendsAndReadsTheSame(t *testing.T) {
	t.Parallel()
	f := busy()
	f.page = 1
	ours, theirs := &inusetest.Requests{Handler: f}, &inusetest.Requests{Handler: f}
	got, err := search(t, inusetest.Config(t, ours), all)
	awstest.NoError(t, err)
	cfg := inusetest.Config(t, theirs)
	s := sdk{t, cfg, nil}
	s.rules()
	s.schedules()
	s.pipes()
	s.stateMachines()
	awstest.Equal(t, "definitions", lines(s.found), lines(got))
	awstest.Equal(t, "requests", theirs.Sorted(), ours.Sorted())
}

// An sdk finds the same task definitions with the SDK's clients.
type sdk struct {
	*testing.T
	cfg   aws.Config
	found []pinned.Definition
}

func (s *sdk) add(definition, by *string) {
	s.found = append(s.found, pinned.Definition{TaskDefinition: aws.ToString(definition), By: aws.ToString(by)})
}

func (s *sdk) rules() {
	client := eventbridge.NewFromConfig(s.cfg)
	rules := map[[2]string]bool{}
	for bus := range pages(s, func(token *string) (*eventbridge.ListEventBusesOutput, *string, error) {
		out, err := client.ListEventBuses(s.Context(), &eventbridge.ListEventBusesInput{Limit: aws.Int32(100), NextToken: token})
		return out, out.NextToken, err
	}) {
		name := bus.EventBuses[0].Name
		for _, cluster := range []string{cluster, other} {
			for page := range pages(s, func(token *string) (*eventbridge.ListRuleNamesByTargetOutput, *string, error) {
				out, err := client.ListRuleNamesByTarget(s.Context(), &eventbridge.ListRuleNamesByTargetInput{
					EventBusName: name, TargetArn: &cluster, Limit: aws.Int32(100), NextToken: token,
				})
				return out, out.NextToken, err
			}) {
				for _, rule := range page.RuleNames {
					rules[[2]string{*name, rule}] = true
				}
			}
		}
	}
	for rule := range maps.Keys(rules) {
		for page := range pages(s, func(token *string) (*eventbridge.ListTargetsByRuleOutput, *string, error) {
			out, err := client.ListTargetsByRule(s.Context(), &eventbridge.ListTargetsByRuleInput{
				EventBusName: &rule[0], Rule: &rule[1], Limit: aws.Int32(100), NextToken: token,
			})
			return out, out.NextToken, err
		}) {
			if ecs := page.Targets[0].EcsParameters; ecs != nil {
				by := strings.TrimPrefix(strings.Join(rule[:], "/"), "default/")
				s.add(ecs.TaskDefinitionArn, aws.String("arn:aws:events"+account+"rule/"+by))
			}
		}
	}
}

func (s *sdk) schedules() {
	client := scheduler.NewFromConfig(s.cfg)
	for page := range pages(s, func(token *string) (*scheduler.ListSchedulesOutput, *string, error) {
		out, err := client.ListSchedules(s.Context(), &scheduler.ListSchedulesInput{MaxResults: aws.Int32(100), NextToken: token})
		return out, out.NextToken, err
	}) {
		summary := page.Schedules[0]
		if !strings.Contains(*summary.Target.Arn, ":ecs:") {
			continue
		}
		out, err := client.GetSchedule(s.Context(), &scheduler.GetScheduleInput{Name: summary.Name, GroupName: summary.GroupName})
		awstest.NoError(s, err)
		if out.Target.EcsParameters != nil {
			s.add(out.Target.EcsParameters.TaskDefinitionArn, out.Arn)
			continue
		}
		var input struct{ TaskDefinition *string }
		awstest.NoError(s, json.Unmarshal([]byte(*out.Target.Input), &input))
		s.add(input.TaskDefinition, out.Arn)
	}
}

func (s *sdk) pipes() {
	client := pipes.NewFromConfig(s.cfg)
	for page := range pages(s, func(token *string) (*pipes.ListPipesOutput, *string, error) {
		out, err := client.ListPipes(s.Context(), &pipes.ListPipesInput{Limit: aws.Int32(100), NextToken: token})
		return out, out.NextToken, err
	}) {
		if !strings.Contains(*page.Pipes[0].Target, ":ecs:") {
			continue
		}
		out, err := client.DescribePipe(s.Context(), &pipes.DescribePipeInput{Name: page.Pipes[0].Name})
		awstest.NoError(s, err)
		s.add(out.TargetParameters.EcsTaskParameters.TaskDefinitionArn, out.Arn)
	}
}

func (s *sdk) stateMachines() {
	client := sfn.NewFromConfig(s.cfg)
	describe := func(arn *string) {
		out, err := client.DescribeStateMachine(s.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: arn})
		awstest.NoError(s, err)
		var definition struct {
			States struct {
				A struct {
					Parameters struct{ TaskDefinition *string }
				}
			}
		}
		awstest.NoError(s, json.Unmarshal([]byte(*out.Definition), &definition))
		s.add(definition.States.A.Parameters.TaskDefinition, out.StateMachineArn)
	}
	for page := range pages(s, func(token *string) (*sfn.ListStateMachinesOutput, *string, error) {
		out, err := client.ListStateMachines(s.Context(), &sfn.ListStateMachinesInput{MaxResults: 1000, NextToken: token})
		return out, out.NextToken, err
	}) {
		machine := page.StateMachines[0].StateMachineArn
		describe(machine)
		for page := range pages(s, func(token *string) (*sfn.ListStateMachineVersionsOutput, *string, error) {
			out, err := client.ListStateMachineVersions(s.Context(), &sfn.ListStateMachineVersionsInput{
				StateMachineArn: machine, MaxResults: 1000, NextToken: token,
			})
			return out, out.NextToken, err
		}) {
			describe(page.StateMachineVersions[0].StateMachineVersionArn)
		}
	}
}

// pages returns the pages of a listing.
func pages[P any](s *sdk, fetch func(token *string) (P, *string, error)) func(yield func(P) bool) {
	return func(yield func(P) bool) {
		for token := (*string)(nil); ; {
			page, next, err := fetch(token)
			awstest.NoError(s, err)
			if token = next; !yield(page) || token == nil {
				return
			}
		}
	}
}

func TestTheSDKHasTheSameEndpoints(t *testing.T) {
	ours := func(on config.ECS) func(context.Context, aws.Config) error {
		return func(_ context.Context, cfg aws.Config) error {
			_, err := search(t, cfg, on) //nolint:contextcheck // it takes the test's
			return err
		}
	}
	inusetest.SameEndpoints(t, "EVENTBRIDGE", ours(config.ECS{Rules: true}), func(ctx context.Context, cfg aws.Config) error {
		_, err := eventbridge.NewFromConfig(cfg).ListEventBuses(ctx, &eventbridge.ListEventBusesInput{})
		return err
	})
	inusetest.SameEndpoints(t, "SCHEDULER", ours(config.ECS{Schedules: true}), func(ctx context.Context, cfg aws.Config) error {
		_, err := scheduler.NewFromConfig(cfg).ListSchedules(ctx, &scheduler.ListSchedulesInput{MaxResults: aws.Int32(100)})
		return err
	})
	inusetest.SameEndpoints(t, "PIPES", ours(config.ECS{Pipes: true}), func(ctx context.Context, cfg aws.Config) error {
		_, err := pipes.NewFromConfig(cfg).ListPipes(ctx, &pipes.ListPipesInput{Limit: aws.Int32(100)})
		return err
	})
	inusetest.SameEndpoints(t, "SFN", ours(config.ECS{StateMachines: true}), func(ctx context.Context, cfg aws.Config) error {
		_, err := sfn.NewFromConfig(cfg).ListStateMachines(ctx, &sfn.ListStateMachinesInput{})
		return err
	})
}
