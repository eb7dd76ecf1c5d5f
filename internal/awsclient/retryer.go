package awsclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const (
	// The pause before another attempt doubles from firstPause to maxPause.
	firstPause = 250 * time.Millisecond
	maxPause   = 20 * time.Second
	doublings  = 7
)

// A fault is the error of an attempt, with what decides whether there is another
// one.
type fault struct {
	error
	kind faultKind
	// tries are those of the call, which is worth so many; 0 is any number for which
	// there is time.
	tries *tries
	worth int
}

// Unwrap returns the error as the SDK has it.
func (f *fault) Unwrap() error { return f.error }

// A retryer retries faults that a patience has judged, and nothing else. There is
// no number of attempts that it stops at.
type retryer struct{ aws.RetryerV2 }

func newRetryer() aws.Retryer {
	return retryer{retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = ratelimit.None })}
}

// MaxAttempts returns 0, which is any number.
func (retryer) MaxAttempts() int { return 0 }

// IsErrorRetryable reports whether another attempt may have another answer.
func (retryer) IsErrorRetryable(err error) bool {
	f, judged := errors.AsType[*fault](err)
	return judged && (f.kind.mayPass() || retry.RetryableError{}.IsErrorRetryable(err) == aws.TrueTernary)
}

// RetryDelay returns the pause before the next attempt, or the error with which to
// give up: at once when the time would be up in the pause.
func (retryer) RetryDelay(_ int, err error) (time.Duration, error) {
	f, judged := errors.AsType[*fault](err)
	if !judged || f.worth > 0 && f.tries.n >= f.worth {
		return 0, err
	}
	pause := pauseAfter(f.tries.n)
	switch {
	case instant().Add(pause).Before(f.tries.until):
		return pause, nil
	case f.tries.limited:
		return 0, fmt.Errorf("%w; no time is left to try again: %w", err, context.DeadlineExceeded)
	}
	return 0, fmt.Errorf("%w; given up after %v", err, maxPatience)
}

// pauseAfter returns how long to wait after attempt n, from 1 on.
func pauseAfter(n int) time.Duration {
	d := min(firstPause<<min(n-1, doublings), maxPause)
	return d/2 + rand.N(d/2)
}
