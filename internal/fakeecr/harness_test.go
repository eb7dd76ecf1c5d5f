package fakeecr_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

const (
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociImage    = "application/vnd.oci.image.manifest.v1+json"
	dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerImage = "application/vnd.docker.distribution.manifest.v2+json"
)

var (
	now      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	allTypes = []string{ociIndex, ociImage, dockerIndex, dockerImage}
)

func clock() time.Time { return now }

// newServer returns a server whose clock stands at now, with the repository
// "app".
func newServer(t *testing.T) *fakeecr.Server {
	t.Helper()
	s := fakeecr.New(fakeecr.WithClock(clock))
	s.CreateRepository("app")
	return s
}

// newClient returns the SDK's client for the server. It tries each call the
// given number of times, without a pause.
func newClient(tb testing.TB, s *fakeecr.Server, attempts int) *ecr.Client {
	tb.Helper()
	server := httptest.NewServer(s)
	tb.Cleanup(server.Close)
	return ecr.New(ecr.Options{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(server.URL),
		HTTPClient:   &http.Client{Transport: copyBody{http.DefaultTransport}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
}

// start returns a server as newServer does and a client that tries once.
func start(t *testing.T) (*fakeecr.Server, *ecr.Client) {
	t.Helper()
	s := newServer(t)
	return s, newClient(t, s, 1)
}

// copyBody keeps the request body out of the reach of the SDK, which closes it
// while net/http may still read it.
type copyBody struct{ next http.RoundTripper }

func (c copyBody) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.next.RoundTrip(r)
}

func newRequest(ctx context.Context, operation string, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", body)
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	return r
}

// post sends a body without the SDK, which would check it, and returns the
// status and the decoded answer.
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

// wantCode checks that err is the answer with the code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got error %v, want %s", err, code)
	}
}

// wantMessage checks that err is the answer with the code and the message.
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

// digest returns a digest that sorts by n.
func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func byDigest(digests ...string) []types.ImageIdentifier {
	ids := make([]types.ImageIdentifier, len(digests))
	for i, d := range digests {
		ids[i].ImageDigest = aws.String(d)
	}
	return ids
}

func byTag(tag string) types.ImageIdentifier { return types.ImageIdentifier{ImageTag: aws.String(tag)} }

// shown returns identifiers as digest:tag, with the digest's last letters.
func shown(ids []types.ImageIdentifier) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		d := aws.ToString(id.ImageDigest)
		texts[i] = d[max(0, len(d)-2):] + ":" + aws.ToString(id.ImageTag)
	}
	return strings.Join(texts, " ")
}
