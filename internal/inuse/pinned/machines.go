package pinned

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// stateMachines are those of Step Functions. Their aliases need no calls, because Step
// Functions lists the versions of an alias too, and does not delete them before the alias.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachineVersion.html
type stateMachines struct{ service }

type statesInput struct {
	StateMachineArn string  `json:"stateMachineArn,omitempty"`
	MaxResults      int     `json:"maxResults,omitempty"`
	NextToken       *string `json:"nextToken,omitempty"`
}

type statesPage struct {
	StateMachines        []machine
	StateMachineVersions []machine
	NextToken            *string
}

type machine struct{ StateMachineArn, StateMachineVersionArn string }

func (s stateMachines) find(ctx context.Context) ([]Definition, error) {
	machines, err := list(s.service, "list state machines", s.fetch(ctx, "ListStateMachines", ""),
		func(p *statesPage) ([]machine, *string) { return p.StateMachines, p.NextToken },
		func(m machine) string { return m.StateMachineArn })
	if err != nil {
		return nil, err
	}
	arns, err := query.Gather(ctx, machines, s.versions)
	if err != nil {
		return nil, err
	}
	return query.Gather(ctx, arns, s.definitions)
}

// versions returns the ARN of the state machine and those of its versions.
func (s stateMachines) versions(ctx context.Context, m machine) ([]string, error) {
	versions, err := list(s.service, "list versions of "+m.StateMachineArn,
		s.fetch(ctx, "ListStateMachineVersions", m.StateMachineArn),
		func(p *statesPage) ([]machine, *string) { return p.StateMachineVersions, p.NextToken },
		func(m machine) string { return m.StateMachineVersionArn })
	if err != nil && !gone(err) {
		return nil, err
	}
	arns := []string{m.StateMachineArn}
	for _, version := range versions {
		arns = append(arns, version.StateMachineVersionArn)
	}
	return arns, nil
}

// definitions returns the task definitions in the definition of a state machine or version.
func (s stateMachines) definitions(ctx context.Context, arn string) ([]Definition, error) {
	doing := "describe state machine " + arn
	var found struct{ StateMachineArn, Definition string }
	err := s.post(ctx, "DescribeStateMachine", statesInput{StateMachineArn: arn}, &found)
	switch {
	case gone(err):
		return nil, nil
	case err != nil:
		return nil, s.failed(doing, err)
	case found.Definition == "", found.Definition == "{}": // as Step Functions answers without decryption
		return nil, s.encrypted(doing, errors.New("the answer has no definition"))
	}
	names, err := namesIn(found.Definition)
	if err != nil {
		return nil, s.doubtful(doing+": its definition", err)
	}
	return definitions(names, arn), nil
}

func (s stateMachines) fetch(ctx context.Context, operation, arn string) func(token *string) (*statesPage, error) {
	return func(token *string) (*statesPage, error) {
		var page statesPage
		return &page, s.post(ctx, operation, statesInput{arn, maxStates, token}, &page)
	}
}

func (s stateMachines) post(ctx context.Context, operation string, in statesInput, out any) error {
	return s.Post(ctx, "AWSStepFunctions."+operation, "1.0", in, out)
}
