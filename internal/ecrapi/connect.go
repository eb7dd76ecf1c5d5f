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
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

// Connect returns a client of the registry that cfg gives access to, and the count of
// the client's calls.
func Connect(cfg aws.Config, options ...func(*ecr.Options)) (Client, *Calls) {
	calls := NewCalls()
	api := ecr.NewFromConfig(cfg, append(options, calls.Count)...)
	return Client{api, awsclient.IsEmulated(api.Options().BaseEndpoint)}, calls
}

// Calls counts API calls by operation. Each attempt of a retried call counts.
type Calls struct {
	mu sync.Mutex
	n  map[string]int
}

// NewCalls returns a count without calls.
func NewCalls() *Calls { return &Calls{n: map[string]int{}} }

// Count is an option of a client: its calls are counted.
func (c *Calls) Count(o *ecr.Options) {
	eachAttempt(o, "CountCalls", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		c.mu.Lock()
		c.n[awsmiddleware.GetOperationName(ctx)]++
		c.mu.Unlock()
		return next.HandleFinalize(ctx, in)
	})
}

// Snapshot returns a copy of the counts.
func (c *Calls) Snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}

type step = func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error)

// eachAttempt adds a step to each attempt at a call, before the request is signed.
func eachAttempt(o *ecr.Options, name string, do step) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc(name, do), "Retry", middleware.After)
	})
}

// beforeSending adds a step to each attempt at a call, after the request is signed.
func beforeSending(o *ecr.Options, name string, do step) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc(name, do), middleware.After)
	})
}

// Paced is an option of a client: p limits the concurrent attempts of each operation. It
// does not limit [Client.Describe] and the calls that delete, archive or untag. A wait
// between the re-check and such a call would be unsafe.
func Paced(p *pace.Pace) func(*ecr.Options) {
	return func(o *ecr.Options) {
		eachAttempt(o, "Pace", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if ctx.Value(notPaced{}) != nil {
				return next.HandleFinalize(ctx, in)
			}
			leave, err := p.Enter(ctx, awsmiddleware.GetOperationName(ctx))
			if err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, &aws.RequestCanceledError{Err: err}
			}
			end := pace.Unknown // also after a panic
			defer func() { leave(end) }()
			out, metadata, err := next.HandleFinalize(ctx, in)
			switch {
			case awsclient.IsThrottled(err):
				end = pace.Throttled
			case !awsclient.IsFault(err):
				end = pace.Carried
			}
			return out, metadata, err
		})
	}
}

type notPaced struct{}

func withoutPace(ctx context.Context) context.Context {
	return context.WithValue(ctx, notPaced{}, true)
}
