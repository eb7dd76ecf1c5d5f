// Package awsclient loads the AWS configuration that both programs share: the usual
// credentials, Region and endpoint of AWS tools, and a transport and retries for a job
// of thousands of small calls. It makes a few calls itself, because a client of the
// service would cost too much start-up time: GetCallerIdentity, and reading and writing
// one S3 object. It also compares the clock of this machine with the Date of each
// answer.
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
)

// ErrNoRegion says that nothing names the region.
var ErrNoRegion = errors.New("no region: set AWS_REGION, or give --region")

const (
	// maxConnections keeps a connection for every repository in flight.
	maxConnections = 64
	// dialTimeout bounds the time in which a connection must stand: who has no
	// network is to learn of it soon.
	dialTimeout = 5 * time.Second
	// answerTimeout bounds the time until an answer begins, so that a connection
	// that is lost without a word is noticed.
	answerTimeout = 30 * time.Second
)

// Load reads the environment and the shared AWS files. Profile and region, when
// not empty, win over them.
func Load(ctx context.Context, profile, region string) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost, t.ResponseHeaderTimeout = maxConnections, answerTimeout
	}).WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
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
	retryPatiently(&cfg) // and not by options, which would make AWS_MAX_ATTEMPTS void
	return cfg, nil
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
