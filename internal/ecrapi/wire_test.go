package ecrapi_test

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A wire is a server without a network: it answers each call with what its
// function returns, once it has read the request to its end. A real one that
// answers before that makes the SDK fail and wait now and then.
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
	return ecr.NewFromConfig(awstest.Attempts(awstest.Offline(w), 1))
}

// plain is an API whose answers the SDK reads.
type plain struct{ ecrapi.API }

func (p plain) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput, _ ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	return p.API.DescribeImages(ctx, in)
}
