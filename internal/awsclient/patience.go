package awsclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

const (
	// maxPatience bounds the time of a call whose context has no deadline.
	maxPatience = 30 * time.Minute
	// An operation that was never answered is worth that many attempts, half a
	// minute at most, while its service is there but at fault: emulators are for
	// ever about what they do not know.
	maxUnknown = 8
	// A service of which nothing was ever answered is worth that many attempts,
	// two seconds, at a connection: whoever gave a wrong endpoint waits for it.
	maxUnreached = 4
	// A call that failed that often, and each time others of its operation were
	// answered since, fails for a reason of its own.
	maxAlone = 16
	// Neither is worth more attempts after that time.
	maxUnknownTime = 45 * time.Second
	// maxAttempt bounds the time of an attempt, so that an answer that stops half-way
	// is noticed. A usual page of images takes that long at 8 KB a second.
	maxAttempt = time.Minute
	// A call that is refused is made once more where the SDK says so: with the
	// clock of the server.
	maxRefused = 2
)

// A patience knows what was answered to the clients of one configuration. What
// was will be again, and is retried until the time is up; what never was may
// never be.
type patience struct {
	mu sync.Mutex
	// answers counts those of each operation and of each service.
	answers map[string]int
}

// retryPatiently sets how the clients of the configuration retry: without the
// SDK's token bucket, which would end a long run after a spell of throttling.
func retryPatiently(cfg *aws.Config) {
	p := &patience{answers: map[string]int{}}
	cfg.Retryer = newRetryer
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return errors.Join(
			stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("BeginTries", begin), retryStep, middleware.Before),
			stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("JudgeTry", p.try), retryStep, middleware.After))
	})
}

// retryStep is the name of the SDK's step that makes the attempts.
const retryStep = "Retry"

// The tries are what the attempts of one call have come to so far.
type tries struct {
	n            int
	began, until time.Time
	// limited is whether the context ends then.
	limited bool
	// last is the fault of the last of them that may pass, and answers were those
	// of the operation then. Alone counts the faults, other than throttling, before
	// which others were answered.
	last           *fault
	answers, alone int
}

type triesKey struct{}

// begin gives the call its time. When that ends in the middle of an attempt or of
// a pause, the error names the last fault as well.
func begin(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	now := instant()
	t := &tries{began: now, until: now.Add(maxPatience)}
	if deadline, ok := ctx.Deadline(); ok {
		t.until, t.limited = deadline, true
	}
	out, metadata, err := next.HandleFinalize(middleware.WithStackValue(ctx, triesKey{}, t), in)
	if err != nil && ctx.Err() != nil && t.last != nil && !errors.Is(err, t.last) {
		err = fmt.Errorf("%w; before that: %w", err, t.last)
	}
	return out, metadata, err
}

// try makes one attempt, takes note of its answer and adds to its error what
// decides whether there is another one.
func (p *patience) try(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	attempt, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	out, metadata, err := next.HandleFinalize(attempt, in)
	switch {
	case err == nil:
		err = somethingIn(out.Result)
	case attempt.Err() != nil && ctx.Err() == nil:
		err = refusal{error: errStuck, status: http.StatusOK}
	}
	f := &fault{error: err, kind: kindOf(err)}
	if ctx.Err() != nil {
		f.kind = final
	}
	t, _ := middleware.GetStackValue(ctx, triesKey{}).(*tries)
	p.note(middleware.GetServiceID(ctx), middleware.GetOperationName(ctx), f, t)
	if err != nil {
		forget(out.Result)
		err = f
	}
	return out, metadata, err
}

// note notes what came of the attempt, and in the fault how far the call may go
// on.
func (p *patience) note(service, operation string, f *fault, t *tries) {
	operation = service + "." + operation
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.kind == answered || f.kind == throttled && p.answers[operation] == 0 {
		p.answers[operation]++
		p.answers[service]++
	}
	t.n++
	f.tries, f.worth = t, maxRefused
	if !f.kind.mayPass() {
		return
	}
	if t.last != nil && f.kind != throttled && p.answers[operation] > t.answers {
		t.alone++
	}
	t.last, t.answers = f, p.answers[operation]
	switch {
	case f.kind == throttled:
		f.worth = 0
	case t.alone >= maxAlone:
		f.worth = t.n
	case f.kind == broken && p.answers[operation] == 0:
		f.worth = maxUnknown
	case f.kind == unreached && p.answers[service] == 0:
		f.worth = maxUnreached
	default:
		f.worth = 0
	}
	if f.worth > 0 && instant().Sub(t.began) > maxUnknownTime {
		f.worth = t.n
	}
}

// errStuck is about an answer that stops half-way. It is no deadline of the run.
var errStuck = fmt.Errorf("read the answer: it is not whole after %v", maxAttempt)

// instant reads the clock to see how long a call may still take.
func instant() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does
