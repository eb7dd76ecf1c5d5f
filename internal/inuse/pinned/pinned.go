// Package pinned finds the ECS task definitions that services other than ECS name. Such a
// service runs the revision that it was given, even if the family has newer ones. The
// definitions are in
//
//   - targets of the rules of Amazon EventBridge, on all event buses of the account;
//   - schedules of EventBridge Scheduler in all groups, with ECS or its API as the target;
//   - targets of the pipes of EventBridge Pipes;
//   - definitions of Step Functions state machines and of their published versions.
//
// Disabled rules, stopped pipes and schedules in the past count too, because they may be
// enabled again. A name that a service computes at run time is not found. It is a JSON
// path, a field of an event, or a JSONata expression that quotes no whole name.
//
// Find makes these calls:
//
//   - one for each page of event buses, schedules, pipes and state machines;
//   - one for each combination of an event bus and a cluster;
//   - one for each rule, schedule and pipe with an ECS target;
//   - two for each state machine, and one for each version of it.
//
// An account with 5 clusters, 20 rules and schedules for them, and 30 state machines
// without versions costs about 90 calls.
package pinned

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions for the calls of [Find].
var Actions = []string{
	"events:ListEventBuses", "events:ListRuleNamesByTarget", "events:ListTargetsByRule",
	"pipes:DescribePipe", "pipes:ListPipes", "scheduler:GetSchedule", "scheduler:ListSchedules",
	"states:DescribeStateMachine", "states:ListStateMachineVersions", "states:ListStateMachines",
}

// A Definition is a task definition that something outside of ECS names.
type Definition struct {
	// TaskDefinition is an ARN, a family, or family:revision, as it was given to the other
	// service. Without a revision it is the newest one. It may be malformed, or not exist.
	TaskDefinition string
	By             string // the ARN of the rule, schedule, pipe, state machine or its version
}

// Find returns the task definitions that are named for ECS clusters with these ARNs. It
// queries the services that protect.ecs turns on, side by side. It skips a rule, schedule,
// pipe or state machine that is deleted during the search, and task definitions in another
// account or Region. Any other failed call is an error that names the field of protect.ecs.
// An emulator that does not know the operation of a listing has nothing to list.
func Find(ctx context.Context, env query.Environment, clusters []string) ([]Definition, error) {
	newService := func(name, sdkID, field string) service {
		s := awsclient.Service{Config: env.AWS, Name: name, SDKID: sdkID, Clock: env.Clock}
		return service{s, "protect.ecs." + field, s.IsEmulated(ctx)}
	}
	type search func(context.Context) ([]Definition, error)
	var searches []search
	ecs := env.Settings.ECS
	if ecs.Rules {
		searches = append(searches, rules{newService("events", "EventBridge", "rules"), clusters}.find)
	}
	if ecs.Schedules {
		searches = append(searches, schedules{newService("scheduler", "Scheduler", "schedules")}.find)
	}
	if ecs.Pipes {
		searches = append(searches, pipes{newService("pipes", "Pipes", "pipes")}.find)
	}
	if ecs.StateMachines {
		searches = append(searches, stateMachines{newService("states", "SFN", "stateMachines")}.find)
	}
	found, err := query.Gather(ctx, searches, func(ctx context.Context, find search) ([]Definition, error) { return find(ctx) })
	if err != nil {
		return nil, err // not the results of some of the searches
	}
	return slices.DeleteFunc(found, Definition.isElsewhere), nil
}

// isElsewhere reports whether the task definition is in another account or Region than its
// user. A state machine may run tasks in another account.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html
func (d Definition) isElsewhere() bool {
	definition, err := arn.Parse(d.TaskDefinition)
	by, errBy := arn.Parse(d.By)
	return err == nil && errBy == nil && (definition.AccountID != by.AccountID || definition.Region != by.Region)
}

// A service is one that may name task definitions.
type service struct {
	awsclient.Service
	field    string // of the configuration, which turns its search off
	emulated bool
}

// failed wraps the error of a call, and says what to do about it. Doing describes the call.
func (s service) failed(doing string, err error) error {
	_, denied := query.Denied(err)
	if denied && strings.Contains(err.Error(), "kms:") || query.HasCode(err, "KmsAccessDeniedException", "KmsInvalidStateException") {
		return s.encrypted(doing, err)
	}
	return query.ExplainField(s.field, doing, err)
}

// doubtful wraps the error that an answer is incomplete or malformed.
func (s service) doubtful(doing string, err error) error {
	return fmt.Errorf("%s: %w; correct it, or set %s to false", doing, err, s.field)
}

// encrypted wraps the error of a call whose answer needs a key of KMS.
func (s service) encrypted(doing string, err error) error {
	return fmt.Errorf("%s: %w; allow the action kms:Decrypt on the key that encrypts it, which must be enabled, or set %s to false", doing, err, s.field)
}

// list returns all items of a listing. An item without a name is an error.
func list[P, T any](
	s service, doing string, fetch func(token *string) (P, error), read func(P) ([]T, *string), nameOf func(T) string,
) ([]T, error) {
	var all []T
	for item, err := range query.Pages(fetch, read) {
		switch {
		case err == nil && nameOf(item) == "":
			return nil, s.doubtful(doing, errNoName)
		case err == nil:
			all = append(all, item)
		case len(all) == 0 && s.emulated && (query.NotKnown(err) || awsclient.IsErrorPage(err)):
			return nil, nil
		default:
			return nil, s.failed(doing, err)
		}
	}
	return all, nil
}

// The maximum numbers of items on a page.
const (
	maxPage   = 100
	maxStates = 1000 // of Step Functions
)

// pageQuery returns the query of a page. Limit is the name of the field with the size.
func pageQuery(limit string, token *string) url.Values {
	values := url.Values{limit: {strconv.Itoa(maxPage)}}
	if token != nil {
		values.Set("NextToken", *token)
	}
	return values
}

var (
	errNoName       = errors.New("the answer has an item without a name")
	errNoDefinition = errors.New("the answer names no task definition")
)

// gone reports whether the item was deleted after it was listed.
func gone(err error) bool {
	return query.HasCode(err, "ResourceNotFoundException", "NotFoundException", "StateMachineDoesNotExist", "ResourceNotFound")
}

// mayBeECS reports whether the ARN of a target may be that of a cluster or of an operation
// of ECS. A listing may leave the ARN out.
func mayBeECS(target string) bool {
	parsed, err := arn.Parse(target)
	return err != nil || parsed.Service == "ecs" || ecsOperation(target) != ""
}

// ecsOperation returns the operation of ECS in lower case, such as runtask, if the ARN is
// that of one, such as arn:aws:scheduler:::aws-sdk:ecs:runTask.
func ecsOperation(target string) string {
	_, operation, _ := strings.Cut(strings.ToLower(target), ":::aws-sdk:ecs:")
	return operation
}
