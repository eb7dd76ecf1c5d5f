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

// A wire is a server without a network. It reads the whole request and answers with the
// result of its function. With a real server that answers earlier, calls of the SDK
// sometimes fail and wait.
type wire func() (body io.Reader, length int64)

func (w wire) Do(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	body, length := w()
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(body), ContentLength: length,
	}, err
}

// answer is a wire with the same text for all calls.
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

// api returns the SDK's client of that wire. It tries each call once.
func api(w wire) *ecr.Client {
	return ecr.NewFromConfig(awstest.Attempts(awstest.Offline(w), 1))
}

// plain is an API whose answers the SDK decodes.
type plain struct{ ecrapi.API }

func (p plain) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput, _ ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	return p.API.DescribeImages(ctx, in)
}
