package awsclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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
					if err == nil || !strings.HasSuffix(err.Error(), "; gave up after 30m0s") || errors.Is(err, context.DeadlineExceeded) {
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

// stuck never answers, or stops in the middle of the body.
func stuck(inTheBody bool) answering {
	return func(r *http.Request) (*http.Response, error) {
		if inTheBody {
			half := io.MultiReader(strings.NewReader(`{"repositories": [`), untilDone{r.Context()})
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(half), Request: r}, nil
		}
		select {
		case <-time.After(30 * time.Second): // as the transport has it
			return nil, errors.New("net/http: timeout awaiting response headers")
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// untilDone has nothing to read until the context is done.
type untilDone struct{ ctx context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

// An answer that stops half-way would be waited for as long as the run has time, and
// without a deadline for ever.
func TestIncompleteAnswersAreRetried(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		for _, inTheBody := range []bool{false, true} {
			t.Run(fmt.Sprint(service, " body ", inTheBody), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					cfg, script := scripted(listed)
					attempt := 0
					cfg.HTTPClient = answering(func(r *http.Request) (*http.Response, error) {
						if attempt++; attempt > 1 && attempt < 5 {
							return stuck(inTheBody).Do(r)
						}
						return script.Do(r)
					})
					start := time.Now()
					if err := errors.Join(call(t.Context(), cfg), call(t.Context(), cfg)); err != nil || attempt != 5 {
						t.Errorf("%v after %d attempts", err, attempt)
					}
					if took := time.Since(start); took > 4*time.Minute {
						t.Errorf("it takes %v", took)
					}
				})
			})
		}
	}
}

// A person with a wrong endpoint must not wait long.
func TestAnUnreachedServiceIsGivenUpSoon(t *testing.T) {
	t.Parallel()
	for service, call := range operations {
		for _, inTheBody := range []bool{false, true} {
			t.Run(fmt.Sprint(service, " body ", inTheBody), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					cfg, _ := scripted(listed)
					cfg.HTTPClient = stuck(inTheBody)
					start := time.Now()
					err := call(t.Context(), cfg)
					if took := time.Since(start); took > 62*time.Second {
						t.Errorf("it takes %v", took)
					}
					if inTheBody {
						wantWords(t, err, "read the answer: it is incomplete after 1m0s; check the network")
					}
					if err == nil || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v, want an error that is no deadline of the run's", err)
					}
				})
			})
		}
	}
}
