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
	// afterDescribe is the last part of a pause, after the images were described.
	// Describing is a call too. If all calls share one rate limit, ECR would throttle
	// a removing call right after it.
	afterDescribe = firstPause / 2
)

// attempt makes a removing call for the images, and makes it again after throttling and
// after a call without an answer. It re-checks the images before each attempt, so the
// Remover must not retry. It returns the error after which it stopped trying, or nil.
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

// worthAnother reports whether another attempt may help after attempt n ended with err.
// It counts throttled attempts across calls and plans until one is not throttled.
func (a *Applier) worthAnother(n int, err error) bool {
	if !errors.Is(err, ErrThrottled) {
		a.throttled = 0
		return errors.Is(err, ErrUnanswered) && n < maxUnanswered
	}
	a.throttled++
	return a.throttled < maxAttempts
}

// pauseBefore returns the random pause before attempt n, at least 2. It is longer than
// afterDescribe.
func pauseBefore(n int) time.Duration {
	d := min(firstPause<<min(n-2, doublings), maxPause)
	return d*3/4 + rand.N(d/4)
}

// wait waits for d and returns true. It returns false if the run is stopped meanwhile.
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

// resolve describes the images that a call neither confirmed nor refused, and returns
// those that are unchanged. ECR may have carried out the call although the answer was
// lost. After throttling ECR has done nothing, and resolve is only a re-check. After a
// refusal of the whole call, resolve returns the open images. If describing fails and
// again is true, the images stay open for the next attempt.
func (a *Applier) resolve(batch []*plan.Image, err error, again bool) []*plan.Image {
	batch = openOf(batch)
	switch {
	case errors.Is(err, ErrThrottled):
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
