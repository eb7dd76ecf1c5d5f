package awsclient_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
)

// The tests of this file run in bubbles, where pauses take no time.

// Even without a deadline there is an end.
func TestThrottlingIsWaitedForHalfAnHour(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, fault := range []end{throttled, {429, "", nil}} {
					cfg, script := scripted(fault)
					start := time.Now()
					err := call(t.Context(), cfg)
					if took := time.Since(start); took < 29*time.Minute || took > 30*time.Minute || script.n < 90 || script.n > 190 {
						t.Errorf("%d attempts in %v", script.n, took)
					}
					if err == nil || !strings.HasSuffix(err.Error(), "; given up after 30m0s") || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v", err)
					}
				}
			})
		})
	}
}

// A retry that would come too late is not waited for, and the fault is named.
func TestDeadlinesEndTheRetries(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, script := scripted(throttled)
				const limit = 2 * time.Hour
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				err := call(ctx, cfg)
				if took := time.Since(start); took > limit-time.Nanosecond || took < limit-20*time.Second || script.n < 360 {
					t.Errorf("%d attempts in %v", script.n, took)
				}
				wantWords(t, err, "ThrottlingException", "; no time is left to try again: context deadline exceeded")
				if service != "SSM" {
					wantWords(t, err, "operation error "+service+": ")
				} else {
					wantWords(t, err, "get parameter /x: ")
				}
				if !errors.Is(err, context.DeadlineExceeded) || !awsclient.IsThrottled(err) {
					t.Errorf("%v is not what it is", err)
				}
			})
		})
	}
}

func wantWords(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("got %v, want %q in it", err, word)
		}
	}
}

// Who is stopped in the middle of an attempt or of a pause learns what there was to
// wait for.
func TestACallThatIsStoppedNamesTheFaultBefore(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg, script := scripted(throttled)
				attempt := 0
				cfg.HTTPClient = answering(func(r *http.Request) (*http.Response, error) {
					if attempt++; attempt == 3 {
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					return script.Do(r)
				})
				for _, stop := range []time.Duration{10 * time.Second, time.Millisecond} {
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(stop, cancel)
					err := call(ctx, cfg)
					wantWords(t, err, "context canceled", "; before that: ", "ThrottlingException")
					if !errors.Is(err, context.Canceled) {
						t.Errorf("%v is not that of the context", err)
					}
				}
			})
		})
	}
}
