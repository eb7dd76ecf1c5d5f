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

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// removing has the calls that remove images.
var removing = map[string]func(context.Context, ecrapi.Client) error{
	"BatchDeleteImage": func(ctx context.Context, c ecrapi.Client) error {
		_, err := c.Delete(ctx, "app", []string{digest(0)})
		return err
	},
	"UpdateImageStorageClass": func(ctx context.Context, c ecrapi.Client) error {
		return c.Archive(ctx, "app", digest(0))
	},
}

// Somebody may tag the image between two attempts, and only the caller can re-check it.
func TestWhatRemovesIsTriedOnce(t *testing.T) {
	t.Parallel()
	for operation, call := range removing {
		for code, want := range map[string]error{
			"ThrottlingException": apply.ErrThrottled, "TooManyRequestsException": apply.ErrThrottled, "RequestLimitExceeded": apply.ErrThrottled,
			"ServerException": apply.ErrUnanswered, "AccessDeniedException": nil, "InvalidParameterException": nil,
		} {
			registry, client, calls := start(t)
			put(registry, 1)
			registry.Fail(operation, "", code)
			wantAnswer(t, operation+" "+code, call(t.Context(), client), want)
			awstest.Equal(t, operation+" "+code+": attempts", 1, calls.Snapshot()[operation])
		}
	}
}

// wantAnswer checks that callers can recognize the error as ErrThrottled or
// ErrUnanswered, or as neither if want is nil.
func wantAnswer(t *testing.T, name string, err, want error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
	}
	for _, kind := range []error{apply.ErrThrottled, apply.ErrUnanswered} {
		if errors.Is(err, kind) != (want != nil && errors.Is(want, kind)) {
			t.Errorf("%s: error %v, want %v", name, err, want)
		}
	}
}

// Renewing credentials can take long. A call that would be late is not sent, so that the
// caller re-checks the image.
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
				cfg := awstest.Offline(awstest.Client(func(r *http.Request) (*http.Response, error) {
					sent++
					return awstest.Answer(`{"imageIds": [], "failures": [], "imageStatus": "ARCHIVED"}`)(r)
				}))
				cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					time.Sleep(renewal)
					return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
				})
				client, _ := ecrapi.Connect(cfg)
				err := call(t.Context(), client)
				if errors.Is(err, apply.ErrThrottled) != late || !late && err != nil || (sent == 0) != late {
					t.Errorf("%s, renewed in %v: %d sent, error %v", name, renewal, sent, err)
				}
			})
		}
	}
}

// The environment's number of attempts does not apply to these calls.
func TestWhatRemovesIsTriedOnceWhateverTheAttempts(t *testing.T) {
	t.Parallel()
	for operation, call := range removing {
		registry, cfg := awstest.Registry(t)
		registry.Fail(operation, "", "ThrottlingException")
		cfg.RetryMaxAttempts, cfg.RetryMode = 5, aws.RetryModeAdaptive
		client, calls := ecrapi.Connect(cfg)
		wantAnswer(t, operation, call(t.Context(), client), apply.ErrThrottled)
		awstest.Equal(t, operation+": attempts", 1, calls.Snapshot()[operation])
	}
}

// The call may have been carried out.
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
			limit := time.Minute
			if name == "no time left" {
				limit = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			wantAnswer(t, operation+", "+name, call(ctx, client), apply.ErrUnanswered)
			cancel()
			if !came.Load() && name == "no time left" {
				continue
			}
			awstest.Equal(t, operation+", "+name+": attempts", 1, calls.Snapshot()[operation])
			if left := registry.Images("app"); len(left) > 0 && left[0].Status == "ACTIVE" {
				t.Errorf("%s, %s: the work is not done", operation, name)
			}
		}
	}
}

// A call to a server that does not exist has no answer either.
func TestNoConnectionIsNoAnswer(t *testing.T) {
	t.Parallel()
	client, _ := ecrapi.Connect(awsclient.Local("http://127.0.0.1:1", "eu-west-1"))
	for operation, call := range removing {
		wantAnswer(t, operation, call(t.Context(), client), apply.ErrUnanswered)
	}
}

// The call is retried after a temporary failure, before its result decides whether own
// pulls are recorded.
func TestPullTimeExclusionsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ThrottlingException", "ServerException"} {
		registry, client, calls := start(t)
		registry.ExcludePulls(true)
		registry.FailNext("ListPullTimeUpdateExclusions", "", code, 1)
		if arns, err := client.PullTimeExclusions(t.Context()); err != nil || len(arns) != 1 {
			t.Errorf("%s: %v, %v", code, arns, err)
		}
		awstest.Equal(t, code+": attempts", 2, calls.Snapshot()["ListPullTimeUpdateExclusions"])
	}
}

// If an answer lacks an image, the image may still exist.
func TestDescribeRefusesAnAnswerWithTooFewImages(t *testing.T) {
	t.Parallel()
	client, _ := connect(t, images(`{"imageDigest": "sha256:a", "imagePushedAt": 1}`))
	if list, err := client.Describe(t.Context(), "app", []string{"sha256:a"}); err != nil || len(list) != 1 {
		t.Errorf("Describe = %v, %v", list, err)
	}
	_, err := client.Describe(t.Context(), "app", []string{"sha256:a", "sha256:b"})
	awstest.ErrorContains(t, err, "describe images in app: the answer has 1 of 2 images")
	client, _ = connect(t, images())
	_, err = client.Describe(t.Context(), "app", []string{"sha256:a"})
	awstest.ErrorContains(t, err, "describe images in app: the answer has 0 of 1 images")
	for _, second := range []string{"sha256:a", "sha256:other"} { // instead of another image
		client, _ = connect(t, images(`{"imageDigest": "sha256:a", "imagePushedAt": 1}`, `{"imageDigest": "`+second+`", "imagePushedAt": 1}`))
		_, err = client.Describe(t.Context(), "app", []string{"sha256:a", "sha256:b"})
		awstest.ErrorContains(t, err, "describe images in app: the answer has 1 of 2 images")
	}
}
