package awsclient_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// Each attempt reads the whole object. If the body breaks off, there is another attempt.
func TestObjectsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := end{503, "<Error><Code>SlowDown</Code></Error>", nil}
		cut := end{200, "con", io.ErrUnexpectedEOF}
		cfg, script := scripted(slow, slow, cut, refused, cut, end{200, "content", nil})
		if got, err := get(t, cfg, "s3://bucket/key"); err != nil || got != "content" || script.n != 6 {
			t.Errorf("GetObject = %q, %v after %d attempts", got, err, script.n)
		}
		script.n = 0
		if err := awsclient.PutObject(t.Context(), cfg, "s3://bucket/key", []byte("content"), now); err != nil || script.n != 6 {
			t.Errorf("PutObject: %v after %d attempts", err, script.n)
		}
	})
}

// A call may take longer than its signature is valid.
func TestEachAttemptIsSignedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, script := scripted(append(times(40, throttled), listed)...)
		start := time.Now()
		cfg.HTTPClient = awstest.Client(func(r *http.Request) (*http.Response, error) {
			if got, want := r.Header.Get("X-Amz-Date"), now.Add(time.Since(start)).Format("20060102T150405Z"); got != want {
				t.Errorf("signed at %s, want %s", got, want)
			}
			return script.Do(r)
		})
		if _, err := awsclient.GetParameter(t.Context(), cfg, "/x", now); err != nil || time.Since(start) < 5*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}
