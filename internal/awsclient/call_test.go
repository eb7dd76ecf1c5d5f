package awsclient_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
)

// The object is read within the attempt, so that an incomplete object is read again.
func TestObjectsAreRetried(t *testing.T) {
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

// A signature is not good for as long as a call may take.
func TestEachAttemptIsSignedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, script := scripted(append(times(40, throttled), listed)...)
		start := time.Now()
		cfg.HTTPClient = answering(func(r *http.Request) (*http.Response, error) {
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
