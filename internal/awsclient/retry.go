package awsclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

const (
	maxCallTime = 30 * time.Minute // of a call whose context has no deadline
	// maxUnknown limits the attempts, to some 25 seconds, at an operation with server faults
	// and no answer so far. An emulator may not implement the operation.
	maxUnknown = 8
	// maxUnreached limits the attempts, to two seconds, at a service that was never reached.
	maxUnreached = 4
	// maxNotFound limits them, to half a second, if its host does not exist, as that of a
	// Region with a typing error.
	maxNotFound = 2
	// maxAlone limits the faults of a call while other calls of the operation succeed.
	maxAlone = 16
	// maxUnknownTime limits the time of calls that these three numbers limit.
	maxUnknownTime = 45 * time.Second
	// maxAttempt limits the time of one attempt, in case an answer stops half-way. A usual
	// page of images takes that long at 8 KB a second.
	maxAttempt = time.Minute
	maxRefused = 2 // attempts after a refusal that the SDK calls retryable

	// The pause before the next attempt doubles from firstPause to maxPause.
	firstPause = 250 * time.Millisecond
	maxPause   = 20 * time.Second
	doublings  = 7
)

// answers counts the answers to the clients of one configuration, by service and by
// operation, in each Region. After its first answer an operation is retried until the deadline.
type answers struct {
	mu sync.Mutex
	n  map[string]int
}

// addRetries sets how the clients of the configuration retry. The SDK's retry quota is
// off, because throttling would use it up for the rest of a long run.
func addRetries(cfg *aws.Config) {
	a := &answers{n: map[string]int{}}
	cfg.Retryer = func() aws.Retryer {
		return retryer{retry.NewStandard(func(o *retry.StandardOptions) { o.RateLimiter = ratelimit.None })}
	}
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return errors.Join(
			stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("BeginAttempts", begin), "Retry", middleware.Before),
			stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("JudgeAttempt", a.attempt), "Retry", middleware.After))
	})
}

type attempts struct {
	n            int
	began, until time.Time
	limited      bool   // by the context, which ends at until
	last         *fault // that may pass
	answers      int    // to the operation, at the time of last
	alone        int    // faults, except throttling, before an answer to another call
}

type attemptsKey struct{}

// begin sets the time limit of the call. If the context ends during an attempt or a
// pause, the error also names the last fault.
func begin(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	now := clockNow()
	t := &attempts{began: now, until: now.Add(maxCallTime)}
	if deadline, ok := ctx.Deadline(); ok {
		t.until, t.limited = deadline, true
	}
	out, metadata, err := next.HandleFinalize(middleware.WithStackValue(ctx, attemptsKey{}, t), in)
	if err != nil && ctx.Err() != nil && t.last != nil && !errors.Is(err, t.last) {
		err = fmt.Errorf("%w; before that: %w", err, t.last)
	}
	return out, metadata, err
}

// attempt makes one attempt, counts its answer, and makes its error a fault.
func (a *answers) attempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	limited, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	out, metadata, err := next.HandleFinalize(limited, in)
	switch {
	case err == nil:
		err = emptyError(out.Result)
	case limited.Err() != nil && ctx.Err() == nil:
		err = refusal{error: errIncomplete, status: http.StatusOK}
	}
	f := &fault{error: err, kind: kindOf(err)}
	if ctx.Err() != nil {
		f.kind = final
	}
	t, _ := middleware.GetStackValue(ctx, attemptsKey{}).(*attempts)
	a.note(middleware.GetServiceID(ctx)+" "+awsmiddleware.GetRegion(ctx), middleware.GetOperationName(ctx), f, t)
	if err != nil {
		clearAnswer(out.Result)
		err = f
	}
	return out, metadata, err
}

// note counts an answer, and sets the largest number of attempts in the fault.
func (a *answers) note(service, operation string, f *fault, t *attempts) {
	operation = service + "." + operation
	a.mu.Lock()
	defer a.mu.Unlock()
	if f.kind == answered || f.kind == throttled && a.n[operation] == 0 {
		a.n[operation]++
		a.n[service]++
	}
	t.n++
	f.attempts = t
	if !f.kind.mayPass() {
		f.most = maxRefused
		return
	}
	if t.last != nil && f.kind != throttled && a.n[operation] > t.answers {
		t.alone++
	}
	t.last, t.answers = f, a.n[operation]
	switch {
	case f.kind != throttled && t.alone >= maxAlone:
		f.most = t.n
	case f.kind == broken && a.n[operation] == 0:
		f.most = maxUnknown
	case f.kind == unreached && a.n[service] == 0:
		f.most = mostUnreached(f.error)
	}
	if f.most > 0 && clockNow().Sub(t.began) > maxUnknownTime {
		f.most = t.n
	}
}

// mostUnreached returns the largest number of attempts at a service never reached. The SDK
// itself has tried again to get credentials from EC2.
func mostUnreached(err error) int {
	if operation, ok := errors.AsType[*smithy.OperationError](err); ok && operation.ServiceID == "ec2imds" {
		return 1
	}
	if host, ok := errors.AsType[*net.DNSError](err); ok && host.IsNotFound {
		return maxNotFound
	}
	return maxUnreached
}

// errIncomplete is not a deadline error: the run goes on.
var errIncomplete = fmt.Errorf("read the answer: it is incomplete after %v; check the network", maxAttempt)

type fault struct {
	error
	kind     faultKind
	attempts *attempts
	most     int // attempts of the call; 0 means any number until the deadline
}

func (f *fault) Unwrap() error { return f.error }

// A retryer retries only errors that are a fault, which says for how long.
type retryer struct{ aws.RetryerV2 }

func (retryer) MaxAttempts() int { return 0 }

func (retryer) IsErrorRetryable(err error) bool {
	f, isFault := errors.AsType[*fault](err)
	return isFault && (f.kind.mayPass() || retry.RetryableError{}.IsErrorRetryable(err) == aws.TrueTernary)
}

// RetryDelay returns an error, which ends the call, if no attempt or no time is left.
func (retryer) RetryDelay(_ int, err error) (time.Duration, error) {
	f, isFault := errors.AsType[*fault](err)
	if !isFault || f.most > 0 && f.attempts.n >= f.most {
		return 0, err
	}
	longest := min(firstPause<<min(f.attempts.n-1, doublings), maxPause)
	pause := longest/2 + rand.N(longest/2)
	switch {
	case clockNow().Add(pause).Before(f.attempts.until):
		return pause, nil
	case f.attempts.limited:
		return 0, fmt.Errorf("%w; no time is left to try again: %w", err, context.DeadlineExceeded)
	}
	return 0, fmt.Errorf("%w; gave up after %v", err, maxCallTime)
}

func clockNow() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does
