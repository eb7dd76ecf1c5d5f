package ecrapi

import (
	"context"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go/middleware"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
)

// Connect returns a client of the registry that cfg leads to, and the count of
// the calls it makes.
func Connect(cfg aws.Config, options ...func(*ecr.Options)) (Client, *Calls) {
	calls := NewCalls()
	api := ecr.NewFromConfig(cfg, append(options, calls.Count)...)
	return Client{api, awsclient.IsEmulated(api.Options().BaseEndpoint)}, calls
}

// Calls counts API calls by operation, each attempt of a retried one.
type Calls struct {
	mu sync.Mutex
	n  map[string]int
}

// NewCalls returns a count of nothing so far.
func NewCalls() *Calls { return &Calls{n: map[string]int{}} }

// Count is the option of a client whose calls are to be counted.
func (c *Calls) Count(o *ecr.Options) { o.APIOptions = append(o.APIOptions, c.count) }

// Snapshot returns the counts so far.
func (c *Calls) Snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}

// count adds a step behind the retries to the stack of an operation.
func (c *Calls) count(stack *middleware.Stack) error {
	step := middleware.FinalizeMiddlewareFunc("CountCalls", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		c.mu.Lock()
		c.n[awsmiddleware.GetOperationName(ctx)]++
		c.mu.Unlock()
		return next.HandleFinalize(ctx, in)
	})
	return stack.Finalize.Insert(step, "Retry", middleware.After)
}
