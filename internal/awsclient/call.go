package awsclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A call is one call of a service whose client would cost the function more
// start-up time than all others together. It is made here, with the SDK's
// credentials, signature and endpoints, and in the SDK's steps of the
// configuration, which retry.
type call struct {
	cfg aws.Config
	// service is the name in the signature and, in upper case, in the settings
	// of endpoints.
	service, operation string
	// now is the time when the call was begun, which the clock of the machine tells
	// as began.
	now, began time.Time

	method, address string
	header          http.Header
	body            []byte
	// code finds the error code in the beginning of an answer that is not 200
	// OK, and explain puts such an answer into words.
	code    func(body []byte) string
	explain func(r refusal, body []byte) error
	// read takes what is asked for from an answer, whose body has been read. An error
	// says that it is not there. Nil takes the body as it is.
	read func(answer *http.Response, body []byte) error
	// most is how many bytes an answer may have; a longer one is an error. Zero
	// takes the first maxBody of any.
	most int64
}

const (
	// maxRefusal is how much of an answer that refuses is read.
	maxRefusal = 8 << 10
	// maxBody is how much of any other is read.
	maxBody = 16 << 20
)

// do makes the call, again where that may help, and returns the body of the
// answer.
func (c call) do(ctx context.Context) ([]byte, error) {
	c.began = instant()
	retryer := c.cfg.Retryer()
	if c.cfg.RetryMaxAttempts > 0 {
		retryer = retry.AddWithMaxAttempts(retryer, c.cfg.RetryMaxAttempts)
	}
	stack := middleware.NewStack(c.operation, smithyhttp.NewStackRequest)
	steps := append([]func(*middleware.Stack) error{func(s *middleware.Stack) error {
		return errors.Join(
			s.Finalize.Add(retry.NewAttemptMiddleware(retryer, smithyhttp.RequestCloner), middleware.After),
			s.Finalize.Add(middleware.FinalizeMiddlewareFunc("Call", c.try), middleware.After))
	}}, c.cfg.APIOptions...)
	for _, add := range steps {
		if err := add(stack); err != nil {
			return nil, err
		}
	}
	ctx = middleware.WithOperationName(middleware.WithServiceID(ctx, c.service), c.operation)
	body, _, err := middleware.DecorateHandler(middleware.HandlerFunc(nowhere), stack).Handle(ctx, nil)
	if err != nil {
		return nil, err
	}
	return body.([]byte), nil
}

// nowhere stands behind the last step of a call, which goes no further.
func nowhere(context.Context, any) (any, middleware.Metadata, error) {
	return nil, middleware.Metadata{}, errors.ErrUnsupported
}

// try makes one attempt. It is the last step of the call.
func (c call) try(ctx context.Context, _ middleware.FinalizeInput, _ middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	request, err := c.signed(ctx)
	if err != nil {
		return out, metadata, err
	}
	answer, err := c.cfg.HTTPClient.Do(request)
	if err != nil {
		return out, metadata, unsent{err}
	}
	defer func() { _ = answer.Body.Close() }() // it is only read
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusPartialContent {
		return out, metadata, c.refused(answer)
	}
	limit := int64(maxBody)
	if c.most > 0 {
		limit = c.most + 1
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit))
	if c.most > 0 && int64(len(body)) > c.most {
		return out, metadata, fmt.Errorf("the answer has more than %d bytes", c.most)
	}
	if err == nil && c.read != nil {
		err = c.read(answer, body)
	}
	if err != nil {
		return out, metadata, refusal{error: fmt.Errorf("read the answer: %w", err), status: answer.StatusCode}
	}
	out.Result = body
	return out, metadata, nil
}

// signed returns a request as it is sent.
func (c call) signed(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, c.method, c.address, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	credentials, err := c.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(c.body)
	hash := hex.EncodeToString(sum[:])
	maps.Copy(request.Header, c.header)
	request.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(s *v4.SignerOptions) { s.DisableURIPathEscaping = true })
	now := c.now.Add(instant().Sub(c.began)) // a signature is good for minutes
	return request, signer.SignHTTP(ctx, credentials, request, hash, c.service, c.cfg.Region, now)
}

// refused puts an answer that is not 200 OK into words.
func (c call) refused(answer *http.Response) error {
	beginning, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // what there is of it; the status counts
	r := refusal{status: answer.StatusCode, code: c.code(beginning)}
	r.error = c.explain(r, beginning)
	return r
}

// unsent is the error of a request to which no answer came.
type unsent struct{ error }

// Unwrap returns the error as net/http has it.
func (u unsent) Unwrap() error { return u.error }

// ConnectionError tells the SDK that the request may be sent again.
func (unsent) ConnectionError() bool { return true }

// A refusal is an answer that is not 200 OK, or that cannot be read, in the form in
// which it is judged.
type refusal struct {
	error
	status int
	code   string
}

// Unwrap returns the words.
func (r refusal) Unwrap() error { return r.error }

// HTTPStatusCode tells a server's fault from a caller's.
func (r refusal) HTTPStatusCode() int { return r.status }

// ErrorCode tells throttling from other refusals.
func (r refusal) ErrorCode() string { return r.code }
