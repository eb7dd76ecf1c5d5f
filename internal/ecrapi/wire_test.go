package ecrapi_test

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
)

// A wire is a server without a network. It reads the whole request, and then answers with
// the result of its function. If a server answers earlier, the SDK sometimes fails and
// retries.
type wire func() (body io.Reader, length int64)

func (w wire) Do(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	body, length := w()
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(body), ContentLength: length,
	}, err
}

// answer is a wire with one text for all calls.
func answer(text string) wire {
	return func() (io.Reader, int64) { return strings.NewReader(text), int64(len(text)) }
}

// then returns a wire that calls do before it answers.
func (w wire) then(do func()) wire {
	return func() (io.Reader, int64) {
		do()
		return w()
	}
}

// api returns the SDK's client at that wire. It tries each call once.
func api(w wire) *ecr.Client {
	cfg := awsclient.Local("http://127.0.0.1:1", "eu-west-1")
	cfg.HTTPClient = w
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return ecr.NewFromConfig(cfg)
}

// plain is an API whose answers the SDK reads.
type plain struct{ ecrapi.API }

func (p plain) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput, _ ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	return p.API.DescribeImages(ctx, in)
}
