package ecrapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// errImageNotFound says that at least one described image is missing.
var errImageNotFound = errors.New("image not found")

// present returns an error unless the member is in the answer. An answer without
// a list is no empty list: the SDK takes an empty body for an answer with nothing
// in it.
func present(member string, is bool) error {
	if is {
		return nil
	}
	return fmt.Errorf("the answer has no %s", member)
}

func hasCode(err error, code string) bool {
	apiErr, ok := errors.AsType[smithy.APIError](err)
	return ok && apiErr.ErrorCode() == code
}

// Classify turns the error codes that decide something into the errors that
// callers know. Others pass as they are.
func Classify(err error) error {
	apiErr, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch apiErr.ErrorCode() {
	case "LifecyclePolicyNotFoundException":
		return cleaner.ErrNoPolicy
	case "RepositoryNotFoundException":
		return cleaner.ErrRepositoryNotFound
	case "ImageNotFoundException":
		return errImageNotFound
	case "AccessDeniedException":
		return fmt.Errorf("%w; grant the action to the role", err)
	}
	return err
}

// archiveError gives the refusals of UpdateImageStorageClass that concern the
// image, not the call, the form of a failure of BatchDeleteImage.
func archiveError(digest string, err error) error {
	apiErr, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return removal(err)
	}
	switch code := apiErr.ErrorCode(); code {
	case "ImageNotFoundException", "ImageStorageClassUpdateNotSupportedException":
		return cleaner.Failure{Digest: digest, Code: strings.TrimSuffix(code, "Exception"), Message: apiErr.ErrorMessage()}
	}
	return removal(err)
}

// once keeps the SDK from repeating a call: either the caller has to look at the
// image again first, or the careful answer is at hand.
func once(o *ecr.Options) { o.Retryer = aws.NopRetryer{} }

// maxDelay bounds the time from the start of a removing call to its sending.
const maxDelay = time.Second

// errLate says that a call was not sent, because it was ready too late.
var errLate = errors.New("not sent: it took too long to get the credentials for it")

// prompt makes the SDK fail a call that it cannot send in time. The caller has just
// looked at the image, and renewing credentials can take long.
func prompt(o *ecr.Options) {
	began := instant()
	step := middleware.FinalizeMiddlewareFunc("Prompt", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		now := instant()
		if max(now.Sub(began), now.Round(0).Sub(began.Round(0))) > maxDelay { // wall time passes while the machine is suspended
			return middleware.FinalizeOutput{}, middleware.Metadata{}, errLate
		}
		return next.HandleFinalize(ctx, in)
	})
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error { return stack.Finalize.Add(step, middleware.After) })
}

// removal classifies the error of a call that removes, so that the caller knows
// whether another attempt may help and whether this one may have been carried
// out.
func removal(err error) error {
	switch {
	case awsclient.IsThrottled(err), errors.Is(err, errLate): // nothing was done
		return fmt.Errorf("%w: %w", cleaner.ErrThrottled, err)
	case awsclient.IsFault(err), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", cleaner.ErrUnanswered, err)
	}
	return Classify(err)
}
