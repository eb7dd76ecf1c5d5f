// Package awsclient loads the AWS configuration that both programs share:
// credentials, region and endpoint as every AWS tool takes them, and a
// transport and retries that fit a job which makes thousands of small calls.
// It also makes the few calls for which no client of a service is worth its
// start-up time: who is calling, and reading or writing one S3 object.
package awsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// ErrNoRegion says that nothing names the region.
var ErrNoRegion = errors.New("no region: set AWS_REGION, or give --region")

const (
	// maxConnections keeps a connection for every repository in flight.
	maxConnections = 64
	// Throttling is answered with patience, for half an hour or until the
	// deadline of the run: ECR publishes no rate for the calls that list and
	// delete.
	maxAttempts = 100
	maxBackoff  = 20 * time.Second
	// Anything else is tried again for a few seconds.
	maxFailures = 4
)

// Load reads the environment and the shared AWS files. Profile and region, when
// not empty, win over them.
func Load(ctx context.Context, profile, region string) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = maxConnections
	})
	options := []func(*config.LoadOptions) error{config.WithHTTPClient(client)}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, ErrNoRegion
	}
	cfg.HTTPClient = bodyCopier{cfg.HTTPClient}
	cfg.Retryer = retryer // and not as an option, which would make AWS_MAX_ATTEMPTS void
	return cfg, nil
}

// retryer retries without the SDK's token bucket, which would end a long run
// after a spell of throttling.
func retryer() aws.Retryer {
	return impatient{retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
		o.RateLimiter = ratelimit.None
	})}
}

// impatient gives up early on what is not throttling: a server that is not
// there, or that cannot do what is asked, will not be in two minutes.
type impatient struct{ aws.RetryerV2 }

func (r impatient) RetryDelay(attempt int, err error) (time.Duration, error) {
	throttled := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	if attempt >= maxFailures && throttled.IsErrorThrottle(err) != aws.TrueTernary {
		return 0, err
	}
	return r.RetryerV2.RetryDelay(attempt, err)
}

// A bodyCopier sends a copy of the request's body. The SDK closes the body as
// soon as the answer is there; a server that answers very fast does so while
// net/http still reads the body, and the call fails and is retried for
// nothing. Bodies are a few kilobytes at most.
type bodyCopier struct{ client aws.HTTPClient }

func (c bodyCopier) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return c.client.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.client.Do(r)
}
