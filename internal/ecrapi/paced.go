package ecrapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	smithy "github.com/aws/smithy-go/middleware"

	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

// Paced is the option of a client whose calls keep to a pace of their own for
// each operation. Every attempt is a call; a pause between two is none.
func Paced(p *pace.Pace) func(*ecr.Options) {
	step := smithy.FinalizeMiddlewareFunc("Pace", func(ctx context.Context, in smithy.FinalizeInput, next smithy.FinalizeHandler) (smithy.FinalizeOutput, smithy.Metadata, error) {
		leave, err := p.Enter(ctx, middleware.GetOperationName(ctx))
		if err != nil {
			return smithy.FinalizeOutput{}, smithy.Metadata{}, &aws.RequestCanceledError{Err: err}
		}
		out, metadata, err := next.HandleFinalize(ctx, in)
		leave(isThrottled(err))
		return out, metadata, err
	})
	return func(o *ecr.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *smithy.Stack) error {
			return stack.Finalize.Insert(step, "Retry", smithy.After)
		})
	}
}

// isThrottled reports whether ECR refused a call because there were too many.
func isThrottled(err error) bool {
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
}
