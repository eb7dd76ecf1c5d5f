package awsclient

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// IsEmulated reports whether an emulator answers at the endpoint, which is nil unless
// it is overridden. An https endpoint may be AWS's own, in a VPC or behind a proxy; AWS
// has no http endpoints that a client would use.
func IsEmulated(endpoint *string) bool {
	return strings.HasPrefix(strings.ToLower(aws.ToString(endpoint)), "http://")
}

// IsErrorPage reports whether an error page came in place of an error of the API.
// Emulators answer so to operations that they do not know; from AWS it is a failure
// that may pass.
func IsErrorPage(err error) bool {
	answer, ok := errors.AsType[*smithyhttp.ResponseError](err)
	_, unreadable := errors.AsType[*smithy.DeserializationError](err)
	return ok && unreadable && answer.HTTPStatusCode() == http.StatusInternalServerError
}

// ErrorPageOnce is the other retryer without retries of error pages: a call that an
// emulator does not know must not be repeated.
type ErrorPageOnce struct{ aws.Retryer }

// IsErrorRetryable reports whether another attempt may have another answer.
func (r ErrorPageOnce) IsErrorRetryable(err error) bool {
	return !IsErrorPage(err) && r.Retryer.IsErrorRetryable(err)
}
