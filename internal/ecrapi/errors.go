package ecrapi

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

var errImageNotFound = errors.New("image not found")

// checkEndpoint ends the message about an answer that ECR itself would not send.
const checkEndpoint = "; check the endpoint and the proxy"

// present returns an error if a list is missing from an answer. The SDK reads an empty
// body as an answer without lists, so a missing list is not an empty one.
func present(list string, is bool) error {
	if is {
		return nil
	}
	return fmt.Errorf("the answer has no %s%s", list, checkEndpoint)
}

func hasCode(err error, code string) bool {
	apiErr, ok := errors.AsType[smithy.APIError](err)
	return ok && apiErr.ErrorCode() == code
}

// Classify converts the error codes that callers distinguish, mostly into errors of plan.
func Classify(err error) error {
	switch {
	case hasCode(err, "LifecyclePolicyNotFoundException"):
		return plan.ErrNoPolicy
	case hasCode(err, "RepositoryNotFoundException"):
		return plan.ErrRepositoryNotFound
	case hasCode(err, "ImageNotFoundException"):
		return errImageNotFound
	case hasCode(err, "AccessDeniedException"):
		return denied{err}
	}
	return err
}

// A denied error is also [plan.ErrAccessDenied].
type denied struct{ error }

func (d denied) Error() string { return d.error.Error() + "; grant the action to the role" }

func (d denied) Is(target error) bool { return target == plan.ErrAccessDenied }

func (d denied) Unwrap() error { return d.error }
