// Package awsclient loads the AWS configuration of both programs: the usual credentials,
// Region and endpoint of AWS tools, with a transport and retries for thousands of small
// calls. It reads and writes S3 objects and reads parameters of Systems Manager itself,
// because the clients of these services would slow down every start of the function. It
// also compares the clock of this machine with the Date of each answer.
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
)

// ErrNoRegion says that neither the environment nor a flag sets the Region.
var ErrNoRegion = errors.New("no region: set AWS_REGION, or give --region")

const (
	// maxConnections is the number of idle connections kept open, at least one for each
	// concurrent call.
	maxConnections = 64
	// dialTimeout limits the time to connect, so that a missing network is reported soon.
	dialTimeout = 5 * time.Second
	// answerTimeout limits the time until an answer begins, so that a lost connection is
	// noticed.
	answerTimeout = 30 * time.Second
)

// Load reads the environment and the shared AWS files. A profile and a region that are
// not "" override them.
func Load(ctx context.Context, profile, region string) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost, t.ResponseHeaderTimeout = maxConnections, answerTimeout
	}).WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client), config.WithSharedConfigProfile(profile), config.WithRegion(region))
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

// Local returns the configuration for a registry server on this machine. It does not
// read the environment or files, and its credentials are not real.
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

// A bodyCopier sends a copy of the request's body. The SDK closes the body when the
// answer arrives. If a fast server answers while net/http still reads the body, the call
// fails and is retried for no reason. Bodies have a few kilobytes at most.
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
