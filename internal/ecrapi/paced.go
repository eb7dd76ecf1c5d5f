package ecrapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	smithy "github.com/aws/smithy-go/middleware"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

// Paced is the option of a client whose calls keep to a pace of their own for
// each operation, but for those of [Client.Describe] and those that remove:
// between a re-check and the removal that relies on it nobody must wait. Every
// attempt is a call; a pause between two is none.
func Paced(p *pace.Pace) func(*ecr.Options) {
	step := smithy.FinalizeMiddlewareFunc("Pace", func(ctx context.Context, in smithy.FinalizeInput, next smithy.FinalizeHandler) (smithy.FinalizeOutput, smithy.Metadata, error) {
		if ctx.Value(atOnce{}) != nil {
			return next.HandleFinalize(ctx, in)
		}
		leave, err := p.Enter(ctx, middleware.GetOperationName(ctx))
		if err != nil {
			return smithy.FinalizeOutput{}, smithy.Metadata{}, &aws.RequestCanceledError{Err: err}
		}
		end := pace.Unknown // as it stays in a panic
		defer func() { leave(end) }()
		out, metadata, err := next.HandleFinalize(ctx, in)
		end = endOf(err)
		return out, metadata, err
	})
	return func(o *ecr.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *smithy.Stack) error {
			return stack.Finalize.Insert(step, "Retry", smithy.After)
		})
	}
}

// atOnce is the key of a context in which calls do not wait for a pace.
type atOnce struct{}

func withoutPace(ctx context.Context) context.Context { return context.WithValue(ctx, atOnce{}, true) }

func endOf(err error) pace.End {
	switch {
	case awsclient.IsThrottled(err):
		return pace.Throttled
	case awsclient.IsFault(err):
		return pace.Unknown
	}
	return pace.Carried
}
