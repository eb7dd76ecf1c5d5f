package awsclient

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// IsEmulated reports whether an emulator answers at the endpoint: whether it is an http
// endpoint. Nil means that the endpoint is not overridden. An https endpoint may be
// AWS's own, in a VPC or behind a proxy; AWS has no http endpoints that a client would
// use.
func IsEmulated(endpoint *string) bool {
	return strings.HasPrefix(strings.ToLower(aws.ToString(endpoint)), "http://")
}

// IsErrorPage reports whether the answer was an error page and not an error of the API.
// Emulators answer operations that they do not know with an error page. From AWS an
// error page is a failure that may pass.
func IsErrorPage(err error) bool {
	answer, ok := errors.AsType[*smithyhttp.ResponseError](err)
	_, unreadable := errors.AsType[*smithy.DeserializationError](err)
	return ok && unreadable && answer.HTTPStatusCode() == http.StatusInternalServerError
}

// ErrorPageOnce wraps a retryer and does not retry error pages: a call that an emulator
// does not know must not be repeated.
type ErrorPageOnce struct{ aws.Retryer }

// IsErrorRetryable reports whether to retry after the error.
func (r ErrorPageOnce) IsErrorRetryable(err error) bool {
	return !IsErrorPage(err) && r.Retryer.IsErrorRetryable(err)
}
