package ecrapi_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// removing are the calls that remove.
var removing = map[string]func(context.Context, ecrapi.Client) error{
	"BatchDeleteImage": func(ctx context.Context, c ecrapi.Client) error {
		_, err := c.Delete(ctx, "app", []string{digest(0)})
		return err
	},
	"UpdateImageStorageClass": func(ctx context.Context, c ecrapi.Client) error {
		return c.Archive(ctx, "app", digest(0))
	},
}

// Somebody may tag the image between two attempts, so the caller must check it again.
func TestRemovingCallsAreTriedOnce(t *testing.T) {
	t.Parallel()
	for operation, call := range removing {
		for code, want := range map[string]error{
			"ThrottlingException": cleaner.ErrThrottled, "TooManyRequestsException": cleaner.ErrThrottled, "RequestLimitExceeded": cleaner.ErrThrottled,
			"ServerException": cleaner.ErrUnanswered, "AccessDeniedException": nil, "InvalidParameterException": nil,
		} {
			registry, client, calls := start(t)
			put(registry, 1)
			registry.Fail(operation, "", code)
			wantAnswer(t, operation+" "+code, call(t.Context(), client), want)
			if n := calls.Snapshot()[operation]; n != 1 {
				t.Errorf("%s %s: %d attempts, want 1", operation, code, n)
			}
		}
	}
}

// wantAnswer checks that an error is the one of the two that callers tell
// apart, or neither when want is nil.
func wantAnswer(t *testing.T, name string, err, want error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
	}
	for _, kind := range []error{cleaner.ErrThrottled, cleaner.ErrUnanswered} {
		if errors.Is(err, kind) != (want != nil && errors.Is(want, kind)) {
			t.Errorf("%s: error %v, want %v", name, err, want)
		}
	}
}

// Renewing credentials can take long. A late call is not sent, because the caller must check
// the image again.
func TestALateRemovalIsNotSent(t *testing.T) {
	t.Parallel()
	calls := maps.Clone(removing)
	calls["Untag"] = func(ctx context.Context, c ecrapi.Client) error {
		_, err := c.Untag(ctx, "app", []string{"v1"})
		return err
	}
	for name, call := range calls {
		for renewal, late := range map[time.Duration]bool{0: false, time.Second: false, 1100 * time.Millisecond: true, 8 * time.Second: true} {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				cfg := awsclient.Local("http://127.0.0.1:1", "eu-west-1")
				cfg.HTTPClient = answer(`{"imageIds": [], "failures": [], "imageStatus": "ARCHIVED"}`).then(func() { sent++ })
				cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					time.Sleep(renewal)
					return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
				})
				client, _ := ecrapi.Connect(cfg)
				err := call(t.Context(), client)
				if errors.Is(err, cleaner.ErrThrottled) != late || !late && err != nil || (sent == 0) != late {
					t.Errorf("%s, renewed in %v: %d sent, error %v", name, renewal, sent, err)
				}
			})
		}
	}
}

// What the environment says about attempts does not concern these calls.
func TestRemovingCallsIgnoreTheConfiguredAttempts(t *testing.T) {
	t.Parallel()
	for operation, call := range removing {
		registry := fakeecr.New()
		registry.CreateRepository("app")
		registry.Fail(operation, "", "ThrottlingException")
		server := httptest.NewServer(registry)
		cfg := awsclient.Local(server.URL, "eu-west-1")
		cfg.RetryMaxAttempts, cfg.RetryMode = 5, aws.RetryModeAdaptive
		client, calls := ecrapi.Connect(cfg)
		wantAnswer(t, operation, call(t.Context(), client), cleaner.ErrThrottled)
		if n := calls.Snapshot()[operation]; n != 1 {
			t.Errorf("%s: %d attempts, want 1", operation, n)
		}
		server.Close()
	}
}

// Then the work may be done.
func TestAnAnswerThatIsLostIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]http.HandlerFunc{
		"connection closed": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"answer cut short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"imageIds": [`))
			panic(http.ErrAbortHandler)
		},
		"no time left": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"bad gateway":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"half a JSON":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"imageIds": [`)) },
		"no JSON":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Please sign in.</html>")) },
	} {
		for operation, call := range removing {
			registry := fakeecr.New()
			registry.CreateRepository("app")
			put(registry, 1)
			var came atomic.Bool // on a busy machine the time may end before
			client, calls := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				registry.ServeHTTP(httptest.NewRecorder(), r)
				came.Store(true)
				lose(w, r)
			}))
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			wantAnswer(t, operation+", "+name, call(ctx, client), cleaner.ErrUnanswered)
			cancel()
			if n := calls.Snapshot()[operation]; n != 1 {
				t.Errorf("%s, %s: %d attempts, want 1", operation, name, n)
			}
			if left := registry.Images("app"); came.Load() && len(left) > 0 && left[0].Status == "ACTIVE" {
				t.Errorf("%s, %s: the work is not done", operation, name)
			}
		}
	}
}

// A server that is not there is as silent as one that lost the answer.
func TestNoConnectionIsNoAnswer(t *testing.T) {
	t.Parallel()
	client, _ := ecrapi.Connect(awsclient.Local("http://127.0.0.1:1", "eu-west-1"))
	for operation, call := range removing {
		wantAnswer(t, operation, call(t.Context(), client), cleaner.ErrUnanswered)
	}
}

// A failure that may pass is retried before it decides whether own pulls are recorded.
func TestPullTimeExclusionsAreRetried(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ThrottlingException", "ServerException"} {
		registry, client, calls := start(t)
		registry.ExcludePulls(true)
		registry.FailNext("ListPullTimeUpdateExclusions", "", code, 1)
		if arns, err := client.PullTimeExclusions(t.Context()); err != nil || len(arns) != 1 {
			t.Errorf("%s: %v, %v", code, arns, err)
		}
		if n := calls.Snapshot()["ListPullTimeUpdateExclusions"]; n != 2 {
			t.Errorf("%s: %d attempts, want 2", code, n)
		}
	}
}

// An image that the answer leaves out is not one that is gone.
func TestDescribeRefusesAnAnswerWithTooFewImages(t *testing.T) {
	t.Parallel()
	client, _ := connect(t, images(`{"imageDigest": "sha256:a", "imagePushedAt": 1}`))
	if list, err := client.Describe(t.Context(), "app", []string{"sha256:a"}); err != nil || len(list) != 1 {
		t.Errorf("Describe = %v, %v", list, err)
	}
	_, err := client.Describe(t.Context(), "app", []string{"sha256:a", "sha256:b"})
	wantError(t, err, "describe images in app: the answer has 1 of 2 images")
	client, _ = connect(t, images())
	_, err = client.Describe(t.Context(), "app", []string{"sha256:a"})
	wantError(t, err, "describe images in app: the answer has 0 of 1 images")
	for _, second := range []string{"sha256:a", "sha256:other"} { // instead of another image
		client, _ = connect(t, images(`{"imageDigest": "sha256:a", "imagePushedAt": 1}`, `{"imageDigest": "`+second+`", "imagePushedAt": 1}`))
		_, err = client.Describe(t.Context(), "app", []string{"sha256:a", "sha256:b"})
		wantError(t, err, "describe images in app: the answer has 1 of 2 images")
	}
}
