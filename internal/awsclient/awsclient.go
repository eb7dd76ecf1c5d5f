// Package awsclient loads the AWS configuration of both programs, with a transport and
// retries for thousands of small calls. It calls S3 and Systems Manager without their
// clients, and compares the clock of this machine with the Date of each answer.
package awsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
)

// ErrNoRegion says that neither the environment nor a flag sets the Region.
var ErrNoRegion = errors.New("no region: set AWS_REGION, or give --region")

// MaxConnections limits the concurrent calls of an operation.
const MaxConnections = 64

const (
	// maxIdle is the number of connections that stay open. An in-use scan of many accounts
	// makes hundreds of calls at a time, often to one host, because accounts have no hosts of
	// their own. A new connection takes as much CPU as ten calls.
	maxIdle       = 512
	dialTimeout   = 5 * time.Second
	answerTimeout = 30 * time.Second // until the answer begins, in case the connection is lost
)

type logKey struct{}

// WithLog returns a context in which [Load] lets the SDK write its own warnings. Without it
// they are dropped: an error that matters is returned.
func WithLog(ctx context.Context, w io.Writer) context.Context {
	return context.WithValue(ctx, logKey{}, logging.NewStandardLogger(w))
}

func logger(ctx context.Context) logging.Logger {
	if logger, ok := ctx.Value(logKey{}).(logging.Logger); ok {
		return logger
	}
	return logging.Nop{}
}

// Load reads the environment and the shared AWS files. A profile or region overrides them.
func Load(ctx context.Context, profile, region string) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost, t.ResponseHeaderTimeout = maxIdle, maxIdle, answerTimeout
	}).WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client), config.WithSharedConfigProfile(profile), config.WithRegion(region),
		config.WithLogger(logger(ctx)))
	if err != nil {
		return aws.Config{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, ErrNoRegion
	}
	cfg.HTTPClient = bodyCopier{cfg.HTTPClient}
	addRetries(&cfg) // an option of LoadDefaultConfig would override AWS_MAX_ATTEMPTS
	return cfg, nil
}

// Local returns the configuration for a server on this machine, with invented credentials.
func Local(endpoint, region string) aws.Config {
	cfg := aws.Config{
		Region:       region,
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:   bodyCopier{awshttp.NewBuildableClient()},
	}
	addRetries(&cfg)
	return cfg
}

// A bodyCopier sends a copy of the request's body, of a few kilobytes. The SDK closes the
// body when the answer arrives, and a call fails if net/http still reads the body then.
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
