package awsclient

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

// Attempts counts the attempts at calls of every service, and those that a service
// throttled. It is safe for concurrent use.
type Attempts struct{ all, throttled atomic.Int64 }

// CountAttempts returns a count of the attempts of every client that is made from cfg later.
func CountAttempts(cfg *aws.Config) *Attempts {
	a := &Attempts{}
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("CountAttempts", a.count), "Retry", middleware.After)
	})
	return a
}

func (a *Attempts) count(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	a.all.Add(1)
	out, metadata, err := next.HandleFinalize(ctx, in)
	if err != nil && IsThrottled(err) {
		a.throttled.Add(1)
	}
	return out, metadata, err
}

// Counts returns the number of attempts, and of those that were throttled.
func (a *Attempts) Counts() (all, throttled int) {
	return int(a.all.Load()), int(a.throttled.Load())
}
