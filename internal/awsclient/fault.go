package awsclient

import (
	"errors"
	"net"
	"net/http"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// A faultKind is what the end of an attempt says about the next one.
type faultKind int

const (
	// final: it would end the same way.
	final faultKind = iota
	// answered: the service did what was asked, or refused.
	answered
	// throttled: there were too many calls.
	throttled
	// broken: what came is a fault of the server, or no answer that can be read.
	broken
	// unreached: nothing came.
	unreached
)

func (k faultKind) mayPass() bool { return k >= throttled }

func kindOf(err error) faultKind {
	status := statusOf(err)
	switch {
	case err == nil:
		return answered
	case IsThrottled(err):
		return throttled
	case isBroken(err, status):
		return broken
	case status >= http.StatusInternalServerError: // not implemented, and the like
		return final
	case status > 0:
		return answered
	case isUnreached(err):
		return unreached
	}
	return final
}

// IsThrottled reports whether a call was refused because there were too many.
func IsThrottled(err error) bool {
	return statusOf(err) == http.StatusTooManyRequests ||
		retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
}

// IsFault reports whether no answer came to a call, or none that can be read, or
// only that of a server at fault: it may have been carried out.
func IsFault(err error) bool {
	kind := kindOf(err)
	return kind == broken || kind == unreached
}

// isBroken reports whether an answer with that status, or 0 for one that says none,
// is none of the service.
func isBroken(err error, status int) bool {
	switch status {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	case 0:
		_, unreadable := errors.AsType[*smithy.DeserializationError](err)
		return unreadable
	}
	return status < 300 || status == http.StatusRequestTimeout || status >= http.StatusInternalServerError ||
		retry.RetryableErrorCode{Codes: retry.DefaultRetryableErrorCodes}.IsErrorRetryable(err) == aws.TrueTernary
}

// isUnreached reports whether an error without an answer is one of the connection,
// or of finding where to connect to.
func isUnreached(err error) bool {
	_, unknownHost := errors.AsType[*net.DNSError](err)
	return unknownHost || retry.NoRetryCanceledError{}.IsErrorRetryable(err) != aws.FalseTernary &&
		retry.RetryableConnectionError{}.IsErrorRetryable(err) == aws.TrueTernary
}

// statusOf returns the HTTP status of the answer that is an error, or 0.
func statusOf(err error) int {
	if answer, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// errNothing is about a body that is empty or an object without any member that was
// asked for, in which the SDK finds no fault.
var errNothing = errors.New("the answer has nothing in it")

// somethingIn returns an error for an answer in which nothing is of what it may
// have. ECR, ECS, Lambda and STS always give something: a list that is empty is
// there.
func somethingIn(answer any) error {
	v := reflect.Indirect(reflect.ValueOf(answer))
	if v.Kind() != reflect.Struct {
		return nil
	}
	members := 0
	for field, value := range v.Fields() {
		if !field.IsExported() || field.Name == "ResultMetadata" {
			continue
		}
		if !value.IsZero() {
			return nil
		}
		members++
	}
	if members == 0 {
		return nil
	}
	return &smithy.DeserializationError{Err: errNothing}
}

// forget empties an answer that broke off. The SDK reads all attempts at a call into
// one and the same: what is there of a list would pass for the whole of it if the next
// body is empty.
func forget(answer any) {
	if v := reflect.ValueOf(answer); v.Kind() == reflect.Pointer && !v.IsNil() {
		v.Elem().SetZero()
	}
}
