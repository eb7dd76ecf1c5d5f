package ecrapi_test

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
)

// answering returns the SDK's client of a server, not behind a network, that
// answers each call with the text. It reads a request to its end first, which
// a server that answers at once would not.
func answering(text string) *ecr.Client {
	cfg := awsclient.Local("http://127.0.0.1:1", "eu-west-1")
	cfg.HTTPClient = client(func(r *http.Request) (*http.Response, error) {
		_, err := io.Copy(io.Discard, r.Body)
		return &http.Response{
			StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
			Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
		}, err
	})
	return ecr.NewFromConfig(cfg)
}

type client func(*http.Request) (*http.Response, error)

func (c client) Do(r *http.Request) (*http.Response, error) { return c(r) }

// plain is an API whose answers the SDK reads.
type plain struct{ ecrapi.API }

func (p plain) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput, _ ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	return p.API.DescribeImages(ctx, in)
}
