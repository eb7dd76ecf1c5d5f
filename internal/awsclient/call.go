package awsclient

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A call is one call of a service without the SDK's client, which would slow down every
// start. It uses the SDK's credentials, signature, endpoints and retries.
type call struct {
	cfg                aws.Config
	service, operation string    // service is also in the signature
	sdkID              string    // of the service in endpoint settings, or "" if it is the service
	now, began         time.Time // the start of the call, by the given and by this machine's clock

	method, address string
	header          http.Header
	body            []byte
	// explain reads the beginning of an answer without success. Its error says what to do.
	explain func(answer *http.Response, body []byte) (code string, err error)
	// read reads a successful answer and its whole body. An error causes a retry.
	read func(answer *http.Response, body []byte) error
	most int64 // the accepted length of an answer in bytes; 0 accepts any, and reads maxBody
}

const (
	maxBody    = 16 << 20
	maxRefusal = 8 << 10 // the number of bytes read of an answer without success
)

func (c call) do(ctx context.Context) error {
	c.began = clockNow()
	retryer := c.cfg.Retryer()
	if c.cfg.RetryMaxAttempts > 0 {
		retryer = retry.AddWithMaxAttempts(retryer, c.cfg.RetryMaxAttempts)
	}
	stack := middleware.NewStack(c.operation, smithyhttp.NewStackRequest)
	err := errors.Join(
		stack.Finalize.Add(retry.NewAttemptMiddleware(retryer, smithyhttp.RequestCloner), middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Call", c.try), middleware.After))
	for _, add := range c.cfg.APIOptions {
		err = errors.Join(err, add(stack))
	}
	if err != nil {
		return err
	}
	ctx = awsmiddleware.SetRegion(middleware.WithOperationName(middleware.WithServiceID(ctx, c.service), c.operation), c.cfg.Region)
	_, _, err = stack.HandleMiddleware(ctx, nil, nil) // try calls no next handler
	return err
}

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
		beginning, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // an incomplete body still has a status
		code, err := c.explain(answer, beginning)
		return out, metadata, refusal{err, answer.StatusCode, code}
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, cmp.Or(c.most, maxBody)+1))
	if c.most > 0 && int64(len(body)) > c.most {
		return out, metadata, fmt.Errorf("the answer has more than %d bytes; check the name and the endpoint", c.most)
	}
	if err == nil {
		err = c.read(answer, body)
	}
	if err != nil {
		err = refusal{error: fmt.Errorf("read the answer: %w", err), status: answer.StatusCode}
	}
	return out, metadata, err
}

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
	signer := v4.NewSigner(func(s *v4.SignerOptions) { s.DisableURIPathEscaping = c.service == "s3" })
	now := c.now.Add(clockNow().Sub(c.began)) // a signature expires after minutes
	return request, signer.SignHTTP(ctx, credentials, request, hash, c.service, c.cfg.Region, now)
}

// endpoint returns the endpoint in the environment or the shared AWS files, or "" if there
// is none. One for the service precedes one for all services.
func (c call) endpoint(ctx context.Context) (string, error) {
	for _, source := range c.cfg.ConfigSources {
		of, ok := source.(endpointSource)
		if !ok {
			continue
		}
		if ignore, _, err := of.GetIgnoreConfiguredEndpoints(ctx); ignore || err != nil {
			return "", err
		}
		endpoint, found, err := of.GetServiceBaseEndpoint(ctx, cmp.Or(c.sdkID, strings.ToUpper(c.service)))
		if err != nil || found {
			return endpoint, err
		}
		if env, isEnv := source.(config.EnvConfig); isEnv && env.BaseEndpoint != "" {
			break // overrides the service's endpoint in a file
		}
	}
	return aws.ToString(c.cfg.BaseEndpoint), nil
}

type endpointSource interface {
	GetIgnoreConfiguredEndpoints(ctx context.Context) (ignore, found bool, err error)
	GetServiceBaseEndpoint(ctx context.Context, sdkID string) (endpoint string, found bool, err error)
}

// unsent is the error of a request without an answer, which the SDK may send again.
type unsent struct{ error }

func (u unsent) Unwrap() error { return u.error }

func (unsent) ConnectionError() bool { return true }

// A refusal is the error of an answer without success or with an unreadable body.
type refusal struct {
	error
	status int
	code   string
}

func (r refusal) Unwrap() error { return r.error }

func (r refusal) HTTPStatusCode() int { return r.status }

// ErrorCode, ErrorMessage and ErrorFault implement [smithy.APIError].
func (r refusal) ErrorCode() string { return r.code }

func (r refusal) ErrorMessage() string { return r.Error() }

func (refusal) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }
