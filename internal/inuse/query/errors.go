package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
)

// Explain wraps the error of a call of the source with that name, and says what to do about
// it, if that is known. Doing describes the call.
func Explain(name, doing string, err error) error {
	return explain(doing, err, "", fmt.Sprintf("take %q out of protect.inUse", name))
}

// ExplainField is [Explain] for a call that a field of the configuration turns off. Field
// is its path, such as "protect.ecs.daemons".
func ExplainField(field, doing string, err error) error {
	turnOff := "set " + field + " to false"
	return explain(doing, err, ", or "+turnOff, turnOff)
}

func explain(doing string, err error, orElse, ifUnused string) error {
	action, denied := Denied(err)
	_, unsent := errors.AsType[interface {
		error
		ConnectionError() bool
	}](err)
	canceled := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	switch {
	case denied:
		return fmt.Errorf("%s: %w; allow %s%s", doing, err, action, orElse)
	case NotKnown(err), HasCode(err, "OptInRequired", "SubscriptionRequiredException"), unsent && !canceled:
		return fmt.Errorf("%s: %w; if it is not used here, %s", doing, err, ifUnused)
	case awsclient.IsThrottled(err), status(err) >= http.StatusInternalServerError:
		return fmt.Errorf("%s: %w; run again later", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// status returns the HTTP status of the answer, or 0 without an answer.
func status(err error) int {
	answer, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	if !ok {
		return 0
	}
	return answer.HTTPStatusCode()
}

// Denied reports whether IAM denied the call, and returns the action to allow, such as
// "the action ecs:ListTasks". The actions of all sources have the names of their operations.
func Denied(err error) (action string, denied bool) {
	if !HasCode(err, "AccessDeniedException", "AccessDenied", "UnauthorizedOperation") {
		return "", false
	}
	if call, ok := errors.AsType[*smithy.OperationError](err); ok {
		return "the action " + strings.ToLower(call.ServiceID) + ":" + call.OperationName, true
	}
	return "the action", true
}

// NotKnown reports whether the service does not know or support the operation.
func NotKnown(err error) bool {
	return status(err) == http.StatusNotImplemented ||
		HasCode(err, "UnknownOperationException", "UnknownOperation", "InvalidAction", "NotImplemented",
			"UnsupportedFeatureException")
}

// HasCode reports whether the service answered with one of the error codes.
func HasCode(err error, codes ...string) bool {
	answer, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains(codes, answer.ErrorCode())
}
