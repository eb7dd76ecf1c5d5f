// Package awstest holds the set-up that tests of several packages share: AWS
// configurations whose clients call a server of the test, and a fake registry. Its
// servers end with their test, and its configurations read neither environment nor files.
package awstest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// Region is the Region of every configuration.
const Region = "eu-west-1"

// Now is the time of the tests.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Clock returns Now.
func Clock() time.Time { return Now }

// Digest returns a digest. Digests sort by n.
func Digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// Serve starts an HTTP server and returns a configuration whose clients call it.
func Serve(tb testing.TB, handler http.Handler) aws.Config {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return awsclient.Local(server.URL, Region)
}

// Registry starts a registry with the empty repository "app". Its clock stands at Now.
func Registry(tb testing.TB, options ...fakeecr.Option) (*fakeecr.Server, aws.Config) {
	tb.Helper()
	registry := fakeecr.New(append([]fakeecr.Option{fakeecr.WithClock(Clock)}, options...)...)
	registry.CreateRepository("app")
	return registry, Serve(tb, registry)
}

// A Client answers requests without a network. It is an [aws.HTTPClient] and an
// [http.RoundTripper].
type Client func(*http.Request) (*http.Response, error)

// Do implements [aws.HTTPClient].
func (c Client) Do(r *http.Request) (*http.Response, error) { return c(r) }

// RoundTrip implements [http.RoundTripper].
func (c Client) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// InProcess returns a client that gets the answers of the handler.
func InProcess(handler http.Handler) Client {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result(), nil
	}
}

// Answer returns a client that answers every request with the JSON text.
func Answer(text string) Client {
	return AnswerFrom(func() (io.Reader, int64) { return strings.NewReader(text), int64(len(text)) })
}

// AnswerFrom returns a client that answers with a body and its length, or -1 for an unknown
// length. It reads the whole request first: if an answer is earlier, the SDK sometimes
// fails and waits.
func AnswerFrom(body func() (io.Reader, int64)) Client {
	return func(r *http.Request) (*http.Response, error) {
		_, err := io.Copy(io.Discard, r.Body)
		from, length := body()
		return &http.Response{
			StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
			Body: io.NopCloser(from), ContentLength: length,
		}, err
	}
}

// Offline returns a configuration whose clients send their requests to client.
func Offline(client aws.HTTPClient) aws.Config {
	cfg := awsclient.Local("http://registry.invalid", Region)
	cfg.HTTPClient = client
	return cfg
}

// Attempts returns the configuration with n attempts for each call, without pauses
// between them. With one attempt, the error of a call is the error of the attempt.
func Attempts(cfg aws.Config, n int) aws.Config {
	cfg.Retryer = func() aws.Retryer {
		if n == 1 {
			return aws.NopRetryer{}
		}
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = n
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return cfg
}

// Environment sets the environment variables of AWS for the test: credentials, Region and
// this endpoint, which may be "". No file of the machine is read.
func Environment(t *testing.T, endpoint string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
		"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "SECRET", "AWS_SESSION_TOKEN": "",
		"AWS_REGION": Region, "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": "",
		"AWS_ENDPOINT_URL": endpoint, "AWS_MAX_ATTEMPTS": "",
	} {
		t.Setenv(name, value)
	}
}
