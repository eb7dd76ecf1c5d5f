// Package policyapi attaches and detaches lifecycle policies. It stands apart
// from ecrapi because only the command-line tool may do so: the function does
// not link it, and its role is not allowed these actions.
package policyapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
)

// API is the part of the ECR client that this package calls.
type API interface {
	PutLifecyclePolicy(context.Context, *ecr.PutLifecyclePolicyInput, ...func(*ecr.Options)) (*ecr.PutLifecyclePolicyOutput, error)
	DeleteLifecyclePolicy(context.Context, *ecr.DeleteLifecyclePolicyInput, ...func(*ecr.Options)) (*ecr.DeleteLifecyclePolicyOutput, error)
}

var _ API = (*ecr.Client)(nil)

// A Client attaches and detaches lifecycle policies. It is safe for concurrent
// use.
type Client struct{ api API }

// New returns a client of that API.
func New(api API) Client { return Client{api} }

// Connect returns a client of the registry that cfg leads to, and the count of
// the calls it makes.
func Connect(cfg aws.Config) (Client, *ecrapi.Calls) {
	calls := ecrapi.NewCalls()
	return New(ecr.NewFromConfig(cfg, calls.Count)), calls
}

// Attach makes the text the lifecycle policy of the repository, in place of the
// one it has. The error is cleaner.ErrRepositoryNotFound when there is no such
// repository.
func (c Client) Attach(ctx context.Context, repository, text string) error {
	_, err := c.api.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &repository, LifecyclePolicyText: &text})
	if err != nil {
		return fmt.Errorf("put lifecycle policy of %s: %w", repository, ecrapi.Classify(err))
	}
	return nil
}

// Detach removes the lifecycle policy of the repository. The error is
// cleaner.ErrNoPolicy when it has none, which is also what a repeated attempt
// finds after one whose answer was lost.
func (c Client) Detach(ctx context.Context, repository string) error {
	_, err := c.api.DeleteLifecyclePolicy(ctx, &ecr.DeleteLifecyclePolicyInput{RepositoryName: &repository})
	if err != nil {
		return fmt.Errorf("delete lifecycle policy of %s: %w", repository, ecrapi.Classify(err))
	}
	return nil
}
