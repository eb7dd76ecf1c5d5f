package apply

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

const (
	// maxAttempts bounds the throttled attempts in a row, and maxUnanswered the
	// attempts at one call without an answer.
	maxAttempts   = 100
	maxUnanswered = 3
	// The pause before another attempt doubles from firstPause to maxPause.
	firstPause = 500 * time.Millisecond
	maxPause   = 20 * time.Second
	doublings  = 6
	// afterDescribe is the part of a pause after the images were described. If all
	// calls share one rate limit, ECR would throttle a call right after that.
	afterDescribe = firstPause / 2
)

// attempt makes a removing call for the images, and makes it again after throttling or
// without an answer. It re-checks the images before each attempt. It returns the error
// after which it stopped trying, or nil.
func (a *Applier) attempt(operation string, batch []*plan.Image, once func(context.Context, []*plan.Image) error) (final error) {
	all := batch
	for n := 1; ; n++ {
		leave, waited := a.enter(operation)
		if waited != nil {
			break
		}
		if batch = a.ready(batch, leave); len(batch) == 0 {
			break
		}
		err := a.call(batch, once, leave)
		worth := a.worthAnother(n, err)
		again := worth && a.wait(pauseBefore(max(n, a.throttled)+1)-afterDescribe)
		batch = a.resolve(batch, err, again)
		if again && len(batch) > 0 {
			a.wait(afterDescribe)
		}
		if again || errors.Is(err, ErrThrottled) && a.ctx.Err() != nil {
			continue
		}
		a.failAll(batch, cause(err))
		final = err
		break
	}
	for _, im := range all {
		if im.Outcome != plan.Blocked {
			a.logOutcome(im)
		}
	}
	return final
}

// worthAnother reports whether to try again after attempt n ended with err. It counts
// throttled attempts in a row across calls and plans.
func (a *Applier) worthAnother(n int, err error) bool {
	if !errors.Is(err, ErrThrottled) {
		a.throttled = 0
		return errors.Is(err, ErrUnanswered) && n < maxUnanswered
	}
	a.throttled++
	return a.throttled < maxAttempts
}

// pauseBefore returns the random pause before attempt n >= 2, longer than afterDescribe.
func pauseBefore(n int) time.Duration {
	d := min(firstPause<<min(n-2, doublings), maxPause)
	return d*3/4 + rand.N(d/4)
}

// wait waits for d. It returns false if the run is stopped meanwhile.
func (a *Applier) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-a.ctx.Done():
		return false
	}
}

// resolve returns the images that are still to be removed after a call. It describes the
// images that the call neither confirmed nor refused, since ECR may have carried it out.
// If that fails and again is true, they stay open for the next attempt.
func (a *Applier) resolve(batch []*plan.Image, err error, again bool) []*plan.Image {
	batch = openOf(batch)
	switch {
	case errors.Is(err, ErrThrottled): // ECR did nothing
		clear(a.descriptions)
		a.recheck(batch)
		return openOf(batch)
	case len(batch) == 0 || err != nil && !errors.Is(err, ErrUnanswered):
		return batch
	}
	ctx, cancel := a.callContext()
	defer cancel()
	describeErr := a.describe(ctx, idsOf(batch))
	for _, im := range batch {
		a.unanswered[im.Digest] = cause(err)
		switch {
		case describeErr == nil:
			a.compare(im, cause(err))
		case !again:
			a.settle(im, plan.Failed, describeErr.Error())
		}
	}
	return openOf(batch)
}

func cause(err error) string {
	if err == nil {
		return "ECR neither confirmed nor refused the removal"
	}
	return err.Error()
}
