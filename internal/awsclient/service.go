package awsclient

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A Service is an AWS service with a JSON API that the cleaner calls without the SDK's
// client. Its errors are those of the SDK's clients, with Name as the service: a
// [smithy.OperationError] around a [smithy.APIError] or an error of sending the request.
// A call is retried as calls of those clients are, except the error page of an emulator.
type Service struct {
	Config aws.Config
	Name   string // in the signature and in IAM actions, such as events
	Prefix string // of the endpoint, such as api.sagemaker; empty if it is Name
	SDKID  string // in the settings of endpoints, such as EventBridge
	Clock  func() time.Time
}

// IsEmulated reports whether calls go to an emulator. See the function [IsEmulated].
func (s Service) IsEmulated(ctx context.Context) bool {
	endpoint, err := s.call("").endpoint(ctx)
	return err == nil && IsEmulated(&endpoint)
}

// Post calls an operation of the protocol AWS JSON. The target is the value of the header
// X-Amz-Target, such as AWSEvents.ListRules; version is 1.0 or 1.1. A call without input has
// an empty struct. Post reads the answer into out, which must point to a struct. It retries
// an answer that sets no member of out.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
func (s Service) Post(ctx context.Context, target, version string, in, out any) error {
	_, operation, _ := strings.Cut(target, ".")
	c := s.call(operation)
	c.method, c.header = http.MethodPost, http.Header{
		"Content-Type": {"application/x-amz-json-" + version}, "X-Amz-Target": {target},
	}
	var err error
	if c.body, err = json.Marshal(in); err != nil {
		return s.failed(operation, err)
	}
	return s.do(ctx, c, "/", nil, out)
}

// Get calls an operation of the protocol REST JSON that reads. The path begins with a
// slash and is escaped. Get reads the answer into out, as Post does.
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
func (s Service) Get(ctx context.Context, operation, path string, query url.Values, out any) error {
	return s.Send(ctx, operation, http.MethodGet, path, query, nil, out)
}

// Send is [Service.Get] with another method, such as POST. The body is in as JSON, or
// empty if in is nil.
//
//nolint:revive // a request has as many parts
func (s Service) Send(ctx context.Context, operation, method, path string, query url.Values, in, out any) error {
	c := s.call(operation)
	c.method = method
	if in != nil {
		c.header = http.Header{"Content-Type": {"application/json"}}
		var err error
		if c.body, err = json.Marshal(in); err != nil {
			return s.failed(operation, err)
		}
	}
	return s.do(ctx, c, path, query, out)
}

func (s Service) call(operation string) call {
	return call{cfg: s.Config, service: s.Name, sdkID: s.SDKID, operation: operation, now: s.Clock(), explain: explainJSON, most: maxBody}
}

func (s Service) do(ctx context.Context, c call, path string, query url.Values, out any) error {
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return s.failed(c.operation, err)
	}
	c.address = strings.TrimSuffix(cmp.Or(endpoint, "https://"+cmp.Or(s.Prefix, s.Name)+"."+reference.Domain(c.cfg.Region)), "/") + path
	if len(query) > 0 {
		c.address += "?" + query.Encode()
	}
	if retryer := c.cfg.Retryer; IsEmulated(&endpoint) {
		c.cfg.Retryer = func() aws.Retryer { return ErrorPageOnce{retryer()} }
	}
	c.read = func(_ *http.Response, body []byte) error {
		clearAnswer(out) // of the attempt before
		if err := json.Unmarshal(body, out); err != nil {
			return err
		}
		return emptyError(out)
	}
	return s.failed(c.operation, c.do(ctx))
}

func (s Service) failed(operation string, err error) error {
	if err == nil {
		return nil
	}
	return &smithy.OperationError{ServiceID: s.Name, OperationName: operation, Err: err}
}

// explainJSON returns the code and the message of an answer without success. An error page
// of an emulator or a proxy has no code.
func explainJSON(answer *http.Response, body []byte) (code string, err error) {
	code, message := jsonFault(answer, body)
	text := fmt.Sprint("the answer is ", answer.StatusCode)
	if code != "" {
		text += " " + code
	}
	if message != "" {
		text += ": " + message
	}
	return code, errors.New(text)
}

// jsonFault reads the code and the message of a fault. Both are empty if the answer is
// not JSON and has no header with a code. The code may be between a namespace and a URI.
func jsonFault(answer *http.Response, body []byte) (code, message string) {
	var fault struct {
		Type    string `json:"__type"`
		Code    string
		Message string // in upper or lower case
	}
	_ = json.Unmarshal(body, &fault) // the fields stay empty if the body is not JSON
	code = cmp.Or(answer.Header.Get("X-Amzn-Errortype"), fault.Type, fault.Code)
	code, _, _ = strings.Cut(code, ":")
	return code[strings.LastIndexByte(code, '#')+1:], fault.Message
}
