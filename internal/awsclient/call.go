package awsclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
)

// A call is one call of a service whose client would cost the function more
// start-up time than all others together. It is made here, with the SDK's
// credentials, signature, endpoints and retries.
type call struct {
	cfg aws.Config
	// service is the name in the signature and, in upper case, in the settings
	// of endpoints.
	service string
	now     time.Time

	method, address string
	header          http.Header
	body            []byte
	// code finds the error code in the beginning of an answer that is not 200
	// OK, and explain puts such an answer into words.
	code    func(body []byte) string
	explain func(r refusal, body []byte) error
}

// maxRefusal is how much of an answer that refuses is read.
const maxRefusal = 8 << 10

// do makes the call, again where that may help, and returns the body of the
// answer.
func (c call) do(ctx context.Context) (io.ReadCloser, error) {
	retryer := c.cfg.Retryer()
	for attempt := 1; ; attempt++ {
		body, err := c.try(ctx)
		if err == nil || attempt >= retryer.MaxAttempts() || !retryer.IsErrorRetryable(err) {
			return body, err
		}
		delay, noMore := retryer.RetryDelay(attempt, err)
		if noMore != nil {
			return nil, err
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w; the last answer: %w", ctx.Err(), err)
		}
	}
}

// try makes one attempt.
func (c call) try(ctx context.Context) (io.ReadCloser, error) {
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
	if err := signer.SignHTTP(ctx, credentials, request, hash, c.service, c.cfg.Region, c.now); err != nil {
		return nil, err
	}
	answer, err := c.cfg.HTTPClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	beginning, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // what there is of it; the status counts
	_ = answer.Body.Close()                                             // it was only read
	r := refusal{status: answer.StatusCode, code: c.code(beginning)}
	r.error = c.explain(r, beginning)
	return nil, r
}

// A refusal is an answer that is not 200 OK, in the form in which the SDK's
// retries judge it.
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

// endpoint returns the endpoint that the environment or the shared AWS files
// set for the service, or for all; "" means the service's own.
func (c call) endpoint(ctx context.Context) (string, error) {
	for _, source := range c.cfg.ConfigSources {
		of, ok := source.(endpointSource)
		if !ok {
			continue
		}
		if ignore, _, err := of.GetIgnoreConfiguredEndpoints(ctx); ignore || err != nil {
			return "", err
		}
		endpoint, found, err := of.GetServiceBaseEndpoint(ctx, strings.ToUpper(c.service))
		if err != nil || found {
			return endpoint, err
		}
		if env, isEnv := source.(config.EnvConfig); isEnv && env.BaseEndpoint != "" {
			break // wins over the service's in a file
		}
	}
	return aws.ToString(c.cfg.BaseEndpoint), nil
}

// An endpointSource is the environment or the shared AWS files.
type endpointSource interface {
	GetIgnoreConfiguredEndpoints(ctx context.Context) (ignore, found bool, err error)
	GetServiceBaseEndpoint(ctx context.Context, sdkID string) (endpoint string, found bool, err error)
}

// domain is what the names of AWS's own endpoints in a Region end with.
func domain(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return region + ".amazonaws.com.cn"
	}
	return region + ".amazonaws.com"
}
