package awsclient

import (
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A faultKind classifies the end of an attempt, to decide on the next attempt.
type faultKind int

const (
	final     faultKind = iota // the next attempt would end the same way
	answered                   // the service carried out the call, or refused it
	throttled                  // the service refused the call because of too many calls
	broken                     // the answer is a server fault, or unreadable
	unreached                  // there was no answer
)

func (k faultKind) mayPass() bool { return k >= throttled }

func kindOf(err error) faultKind {
	status := statusOf(err)
	_, unreadable := errors.AsType[*smithy.DeserializationError](err)
	_, unknownHost := errors.AsType[*net.DNSError](err)
	switch {
	case err == nil:
		return answered
	case IsThrottled(err):
		return throttled
	case status == http.StatusNotImplemented, status == http.StatusHTTPVersionNotSupported:
		return final
	case status == 0 && unreadable, status > 0 && isBroken(err, status):
		return broken
	case status > 0:
		return answered
	case unknownHost, retry.NoRetryCanceledError{}.IsErrorRetryable(err) != aws.FalseTernary &&
		retry.RetryableConnectionError{}.IsErrorRetryable(err) == aws.TrueTernary:
		return unreached
	}
	return final
}

// isBroken reports whether an answer with that status is a server fault or unreadable.
func isBroken(err error, status int) bool {
	return status < 300 || status == http.StatusRequestTimeout || status >= http.StatusInternalServerError ||
		retry.RetryableErrorCode{Codes: retry.DefaultRetryableErrorCodes}.IsErrorRetryable(err) == aws.TrueTernary
}

// kmsThrottled is the code of Step Functions if KMS refuses its call. The SDK does not retry it.
const kmsThrottled = "KmsThrottlingException"

// IsThrottled reports whether the service refused the call because of too many calls.
func IsThrottled(err error) bool {
	answer, _ := errors.AsType[smithy.APIError](err)
	return statusOf(err) == http.StatusTooManyRequests || answer != nil && answer.ErrorCode() == kmsThrottled ||
		retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
}

// IsFault reports whether a call had no answer, an unreadable one, or a server fault.
// The service may have carried out such a call.
func IsFault(err error) bool {
	kind := kindOf(err)
	return kind == broken || kind == unreached
}

// IsUnreached reports whether a call had no answer, though it had time to try again.
func IsUnreached(err error) bool {
	_, unsent := errors.AsType[interface {
		error
		ConnectionError() bool
	}](err)
	return unsent && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

func statusOf(err error) int {
	if answer, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

var errEmpty = &smithy.DeserializationError{Err: errors.New("the answer is empty; check the endpoint and the proxy")}

// emptyError returns an error if no member of the answer is set. The SDK accepts such an
// answer, but AWS always sends a member, such as an empty list.
func emptyError(answer any) error {
	v := reflect.Indirect(reflect.ValueOf(answer))
	if v.Kind() != reflect.Struct {
		return nil
	}
	var empty error // an answer that has no members is complete
	for field, value := range v.Fields() {
		if !field.IsExported() || field.Name == "ResultMetadata" {
			continue
		}
		if !value.IsZero() {
			return nil
		}
		empty = errEmpty
	}
	return empty
}

// clearAnswer clears an answer that broke off. The SDK reads all attempts at a call into
// the same value. If the next body is empty, half a list would pass for a complete list.
func clearAnswer(answer any) {
	if v := reflect.ValueOf(answer); v.Kind() == reflect.Pointer && !v.IsNil() {
		v.Elem().SetZero()
	}
}

// IsEmulated reports whether the endpoint is an http endpoint, which only emulators have.
// AWS has https endpoints, also in a VPC. Nil means AWS's default endpoint.
func IsEmulated(endpoint *string) bool {
	return strings.HasPrefix(strings.ToLower(aws.ToString(endpoint)), "http://")
}

// IsErrorPage reports whether the answer was an error page, not an error of the API.
// Emulators send an error page for an operation that they do not know.
func IsErrorPage(err error) bool {
	if r, ok := errors.AsType[refusal](err); ok {
		return r.code == "" && (r.status == http.StatusInternalServerError || r.status == http.StatusNotFound)
	}
	answer, ok := errors.AsType[*smithyhttp.ResponseError](err)
	_, unreadable := errors.AsType[*smithy.DeserializationError](err)
	return ok && unreadable && answer.HTTPStatusCode() == http.StatusInternalServerError
}

// ErrorPageOnce is a retryer that does not retry error pages.
type ErrorPageOnce struct{ aws.Retryer }

// IsErrorRetryable reports whether to retry after the error.
func (r ErrorPageOnce) IsErrorRetryable(err error) bool {
	return !IsErrorPage(err) && r.Retryer.IsErrorRetryable(err)
}
