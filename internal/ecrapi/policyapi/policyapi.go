// Package policyapi attaches and detaches lifecycle policies. Only the command-line tool
// imports it: the function does not link this code, and its role lacks these actions.
package policyapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
)

// A Client attaches and detaches lifecycle policies. It is safe for concurrent use.
type Client struct{ api *ecr.Client }

// Connect returns a client of the registry of cfg, and the count of its calls.
func Connect(cfg aws.Config) (Client, *ecrapi.Calls) {
	calls := ecrapi.NewCalls()
	return Client{ecr.NewFromConfig(cfg, calls.Count)}, calls
}

// Attach attaches the text as the lifecycle policy of the repository, and replaces an
// earlier policy. The error may be [plan.ErrRepositoryNotFound].
func (c Client) Attach(ctx context.Context, repository, text string) error {
	_, err := c.api.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &repository, LifecyclePolicyText: &text})
	if err != nil {
		return fmt.Errorf("put lifecycle policy of %s: %w", repository, ecrapi.Classify(err))
	}
	return nil
}

// Detach detaches the lifecycle policy of the repository. The error is [plan.ErrNoPolicy]
// if none is attached, also when an attempt detached it and the answer was lost.
func (c Client) Detach(ctx context.Context, repository string) error {
	_, err := c.api.DeleteLifecyclePolicy(ctx, &ecr.DeleteLifecyclePolicyInput{RepositoryName: &repository})
	if err != nil {
		return fmt.Errorf("delete lifecycle policy of %s: %w", repository, ecrapi.Classify(err))
	}
	return nil
}
