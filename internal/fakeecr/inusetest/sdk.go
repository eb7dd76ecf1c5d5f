package inusetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// Requests records the requests to a handler, to compare ours with those of an SDK's client.
type Requests struct {
	Handler http.Handler
	mu      sync.Mutex
	lines   []string
}

// ServeHTTP implements [http.Handler].
func (q *Requests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in Object
	_ = json.Unmarshal(body, &in) // the body of a GET is empty
	sorted, _ := json.Marshal(in)
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "/") // after the access key
	scope, _, _ = strings.Cut(scope, ",")
	_, scope, _ = strings.Cut(scope, "/") // after the date
	q.mu.Lock()
	q.lines = append(q.lines, fmt.Sprint(r.Method, " ", r.RequestURI, " ", string(sorted), " ", len(body) > 0, " ",
		r.Header.Get("Content-Type"), " ", r.Header.Get("X-Amz-Target"), " ", scope))
	q.mu.Unlock()
	q.Handler.ServeHTTP(w, r)
}

// Sorted returns a line for each request, in their alphabetical order.
func (q *Requests) Sorted() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Sorted(slices.Values(q.lines))
}

// SameEndpoints checks that our call and that of the SDK's client have the same endpoint,
// in the Regions of all partitions and by the environment. Variable is the end of the
// environment variable for the service, such as LAMBDA.
func SameEndpoints(t *testing.T, variable string, ours, sdk func(context.Context, aws.Config) error) {
	t.Helper()
	awstest.Environment(t, "")
	t.Setenv("AWS_ENDPOINT_URL_"+variable, "")
	check := func(region string) {
		t.Helper()
		cfg, err := awsclient.Load(t.Context(), "", region)
		awstest.NoError(t, err)
		awstest.Equal(t, variable+" in "+region, address(t, cfg, sdk), address(t, cfg, ours))
	}
	for _, region := range []string{
		"eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1", "us-gov-east-1", "eusc-de-east-1",
		"us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1",
	} {
		check(region)
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1/all")
	check(Region)
	t.Setenv("AWS_ENDPOINT_URL_"+variable, "http://127.0.0.1:1/one/")
	check(Region)
}

// address returns the URL of the first request of a call.
func address(t *testing.T, cfg aws.Config, call func(context.Context, aws.Config) error) (url string) {
	t.Helper()
	stop := errors.New("not sent")
	cfg.HTTPClient = awstest.Client(func(r *http.Request) (*http.Response, error) {
		url = strings.TrimSuffix(r.URL.String(), "/")
		return nil, stop
	})
	cfg.Retryer, cfg.APIOptions = func() aws.Retryer { return aws.NopRetryer{} }, nil
	awstest.ErrorIs(t, "the call", call(t.Context(), cfg), stop)
	return url
}
