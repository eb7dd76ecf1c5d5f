package fakeecr_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

const (
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociImage    = "application/vnd.oci.image.manifest.v1+json"
	dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerImage = "application/vnd.docker.distribution.manifest.v2+json"
)

var (
	now      = awstest.Now
	clock    = awstest.Clock
	digest   = awstest.Digest
	allTypes = []string{ociIndex, ociImage, dockerIndex, dockerImage}
)

// newServer returns a server with the repository "app". Its clock always shows now.
func newServer(t *testing.T, options ...fakeecr.Option) *fakeecr.Server {
	t.Helper()
	s := fakeecr.New(append([]fakeecr.Option{fakeecr.WithClock(clock)}, options...)...)
	s.CreateRepository("app")
	return s
}

// newClient returns the SDK's client for the server, without our own changes to the
// SDK. It tries each call the given number of times, without a pause.
func newClient(tb testing.TB, s *fakeecr.Server, attempts int) *ecr.Client {
	tb.Helper()
	return ecr.NewFromConfig(serve(tb, s, attempts))
}

func serve(tb testing.TB, s *fakeecr.Server, attempts int) aws.Config {
	tb.Helper()
	cfg := awstest.Attempts(awstest.Serve(tb, s), attempts)
	cfg.APIOptions = nil
	return cfg
}

// start returns a server as newServer does and a client that tries once.
func start(t *testing.T, options ...fakeecr.Option) (*fakeecr.Server, *ecr.Client) {
	t.Helper()
	s := newServer(t, options...)
	return s, newClient(t, s, 1)
}

func newRequest(ctx context.Context, operation string, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", body)
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	return r
}

// post sends a body without the SDK, which would check it, and returns the status and the
// answer.
func post(t *testing.T, s *fakeecr.Server, operation, body string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, newRequest(t.Context(), operation, strings.NewReader(body)))
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s answered %q: %v", operation, w.Body, err)
	}
	return w.Code, answer
}

// wantCode checks the error code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got error %v, want %s", err, code)
	}
}

// wantRefusals makes a call with each request, and checks the error code.
func wantRefusals[In, Out any](t *testing.T, call func(context.Context, *In, ...func(*ecr.Options)) (*Out, error), code string, requests map[string]*In) {
	t.Helper()
	for name, in := range requests {
		t.Run(name, func(t *testing.T) {
			_, err := call(t.Context(), in)
			wantCode(t, err, code)
		})
	}
}

// wantMessage checks the error code and the message.
func wantMessage(t *testing.T, err error, code, message string) {
	t.Helper()
	wantCode(t, err, code)
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorMessage() != message {
		t.Errorf("got message %q, want %q", api.ErrorMessage(), message)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func byDigest(digests ...string) []types.ImageIdentifier {
	ids := make([]types.ImageIdentifier, len(digests))
	for i, d := range digests {
		ids[i].ImageDigest = aws.String(d)
	}
	return ids
}

func byTag(tag string) types.ImageIdentifier { return types.ImageIdentifier{ImageTag: aws.String(tag)} }

// shown returns identifiers as digest:tag with the last two letters of the digest.
func shown(ids []types.ImageIdentifier) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		d := aws.ToString(id.ImageDigest)
		texts[i] = d[max(0, len(d)-2):] + ":" + aws.ToString(id.ImageTag)
	}
	return strings.Join(texts, " ")
}
