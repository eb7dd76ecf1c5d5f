package inuse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// explain wraps the error of a call with what was being done and, where that
// is known, what to do about it. Entry is the part of the configuration that
// asks for the call, such as "ecs" in protect.inUse.
func explain(entry, doing string, err error) error {
	switch {
	case denied(err):
		return fmt.Errorf("%s: %w; allow %s", doing, err, action(err))
	case notOffered(err), unreachable(err):
		return fmt.Errorf("%s: %w; if it is not used here, take %s", doing, err, entry)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// action returns the IAM action of the call that failed. For the calls of this
// package it is the name of the operation.
func action(err error) string {
	call, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return "the action"
	}
	return "the action " + strings.ToLower(call.ServiceID) + ":" + call.OperationName
}

func denied(err error) bool {
	return hasCode(err, "AccessDeniedException", "AccessDenied", "UnauthorizedOperation")
}

// notOffered reports whether the service does not know the operation, or does
// not serve this account or Region.
func notOffered(err error) bool {
	return notKnown(err) || hasCode(err, "OptInRequired", "SubscriptionRequiredException")
}

// notKnown reports whether the service does not know the operation, or not for
// what it was asked about.
func notKnown(err error) bool {
	answer, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok && answer.HTTPStatusCode() == http.StatusNotImplemented ||
		hasCode(err, "UnknownOperationException", "UnknownOperation", "InvalidAction", "NotImplemented",
			"UnsupportedFeatureException")
}

// unreachable reports whether no answer came. To be stopped is another matter.
func unreachable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	_, ok := errors.AsType[*smithyhttp.RequestSendError](err)
	return ok
}

func hasCode(err error, codes ...string) bool {
	answer, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains(codes, answer.ErrorCode())
}
