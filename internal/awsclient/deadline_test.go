package awsclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// The tests of this file run in synctest bubbles, in which pauses take no time.

// The attempts end even without a deadline.
func TestThrottlingIsWaitedForHalfAnHour(t *testing.T) {
	t.Parallel()
	eachService(t, "", func(t serviceTest) {
		for _, fault := range []end{throttled, {429, "", nil}} {
			cfg, script := scripted(fault)
			start := time.Now()
			err := t.call(t.Context(), cfg)
			if took := time.Since(start); took < 29*time.Minute || took > 30*time.Minute || script.n < 90 || script.n > 190 {
				t.Errorf("%d attempts in %v", script.n, took)
			}
			if err == nil || !strings.HasSuffix(err.Error(), "; gave up after 30m0s") || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// If the next attempt would be too late, the call ends at once with the fault of the last one.
func TestDeadlinesEndTheRetries(t *testing.T) {
	t.Parallel()
	eachService(t, "", func(t serviceTest) {
		cfg, script := scripted(throttled)
		const limit = 2 * time.Hour
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		err := t.call(ctx, cfg)
		if took := time.Since(start); took > limit-time.Nanosecond || took < limit-20*time.Second || script.n < 360 {
			t.Errorf("%d attempts in %v", script.n, took)
		}
		wantWords(t.T, err, "ThrottlingException", "; no time is left to try again: context deadline exceeded")
		if t.service != "SSM" {
			wantWords(t.T, err, "operation error "+t.service+": ")
		} else {
			wantWords(t.T, err, "get parameter /x: ")
		}
		if !errors.Is(err, context.DeadlineExceeded) || !awsclient.IsThrottled(err) {
			t.Errorf("%v is not what it is", err)
		}
	})
}

func wantWords(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		awstest.ErrorContains(t, err, word)
	}
}

// If a call is cancelled during an attempt or a pause, its error also has the fault before.
func TestACallThatIsStoppedNamesTheFaultBefore(t *testing.T) {
	t.Parallel()
	eachService(t, "", func(t serviceTest) {
		cfg, script := scripted(throttled)
		attempt := 0
		cfg.HTTPClient = awstest.Client(func(r *http.Request) (*http.Response, error) {
			if attempt++; attempt == 3 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return script.Do(r)
		})
		for _, stop := range []time.Duration{10 * time.Second, time.Millisecond} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(stop, cancel)
			err := t.call(ctx, cfg)
			wantWords(t.T, err, "context canceled", "; before that: ", "ThrottlingException")
			awstest.ErrorIs(t, "a canceled context", err, context.Canceled)
		}
	})
}

// stuck never answers, or never ends the body.
func stuck(inTheBody bool) awstest.Client {
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

// untilDone blocks until the context is done.
type untilDone struct{ ctx context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

// An answer that never ends has a time limit. Otherwise a run without a deadline would
// wait for it forever.
func TestAnswersThatGetStuckAreAskedForAgain(t *testing.T) {
	t.Parallel()
	for _, inTheBody := range []bool{false, true} {
		eachService(t, fmt.Sprint("in the body ", inTheBody), func(t serviceTest) {
			cfg, script := scripted(listed)
			attempt := 0
			cfg.HTTPClient = awstest.Client(func(r *http.Request) (*http.Response, error) {
				if attempt++; attempt > 1 && attempt < 5 {
					return stuck(inTheBody).Do(r)
				}
				return script.Do(r)
			})
			start := time.Now()
			awstest.NoError(t, errors.Join(t.call(t.Context(), cfg), t.call(t.Context(), cfg)))
			awstest.Equal(t, "attempts", 5, attempt)
			if took := time.Since(start); took > 4*time.Minute {
				t.Errorf("it takes %v", took)
			}
		})
	}
}

// A service that never answers has a short time limit, because the endpoint may be wrong.
func TestWhatNeverAnswersIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	for _, inTheBody := range []bool{false, true} {
		eachService(t, fmt.Sprint("in the body ", inTheBody), func(t serviceTest) {
			cfg, _ := scripted(listed)
			cfg.HTTPClient = stuck(inTheBody)
			start := time.Now()
			err := t.call(t.Context(), cfg)
			if took := time.Since(start); took > 62*time.Second {
				t.Errorf("it takes %v", took)
			}
			if inTheBody {
				wantWords(t.T, err, "read the answer: it is incomplete after 1m0s; check the network")
			}
			if err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want an error that is no deadline of the run's", err)
			}
		})
	}
}
