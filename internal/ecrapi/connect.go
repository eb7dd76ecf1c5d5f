package ecrapi

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go/middleware"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

// Connect returns a client of the registry of cfg, and the count of its calls.
func Connect(cfg aws.Config, options ...func(*ecr.Options)) (Client, *Calls) {
	calls := NewCalls()
	api := ecr.NewFromConfig(cfg, append(options, calls.Count)...)
	return Client{api, awsclient.IsEmulated(api.Options().BaseEndpoint), newNameSet()}, calls
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
	eachAttempt("CountCalls", func(ctx context.Context, send func() error) error {
		c.mu.Lock()
		c.n[awsmiddleware.GetOperationName(ctx)]++
		c.mu.Unlock()
		return send()
	})(o)
}

// Snapshot returns a copy of the counts.
func (c *Calls) Snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}

// A step is a part of each attempt at a call. It calls send for the rest of the attempt.
type step func(ctx context.Context, send func() error) error

// eachAttempt is an option that adds the step before the request is signed.
func eachAttempt(name string, do step) func(*ecr.Options) {
	return ecr.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc(name, do.handle), "Retry", middleware.After)
	})
}

// beforeSending is an option that adds the step after the request is signed.
func beforeSending(name string, do step) func(*ecr.Options) {
	return ecr.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc(name, do.handle), middleware.After)
	})
}

func (do step) handle(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
) {
	err = do(ctx, func() (err error) {
		out, metadata, err = next.HandleFinalize(ctx, in)
		return err
	})
	return out, metadata, err
}

// Paced is an option of a client: p limits the concurrent attempts of each operation. It
// never delays [Client.Describe], or a call that deletes, archives or untags after it.
func Paced(p *pace.Pace) func(*ecr.Options) {
	return eachAttempt("Pace", func(ctx context.Context, send func() error) error {
		if ctx.Value(notPaced{}) != nil {
			return send()
		}
		leave, err := p.Enter(ctx, awsmiddleware.GetOperationName(ctx))
		if err != nil {
			return &aws.RequestCanceledError{Err: err}
		}
		end := pace.Unknown // also after a panic
		defer func() { leave(end) }()
		err = send()
		switch {
		case awsclient.IsThrottled(err):
			end = pace.Throttled
		case !awsclient.IsFault(err):
			end = pace.Carried
		}
		return err
	})
}

type notPaced struct{}

func withoutPace(ctx context.Context) context.Context {
	return context.WithValue(ctx, notPaced{}, true)
}

// A nameSet is a set of names for concurrent use.
type nameSet struct {
	mu    sync.Mutex
	names map[string]bool
}

func newNameSet() *nameSet { return &nameSet{names: map[string]bool{}} }

// set adds the name to the set or removes it.
func (s *nameSet) set(name string, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.names, name); in {
		s.names[name] = true
	}
}

func (s *nameSet) sorted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.names))
}
