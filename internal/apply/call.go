package apply

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// call makes one removing call, to its end, and leaves however that ends.
func (a *Applier) call(batch []*plan.Image, once func(context.Context, []*plan.Image) error, leave func(pace.End)) (err error) {
	end := pace.Unknown // as it stays in a panic
	defer func() { leave(end) }()
	ctx, cancel := a.toTheEnd()
	defer cancel()
	a.calls++
	err = once(ctx, batch)
	end = endOf(err)
	return err
}

func endOf(err error) pace.End {
	switch {
	case errors.Is(err, ErrThrottled):
		return pace.Throttled
	case errors.Is(err, ErrUnanswered):
		return pace.Unknown
	}
	return pace.Carried
}

// enter waits until a removing call may begin.
func (a *Applier) enter(operation string) (leave func(pace.End), err error) {
	if a.Pace == nil {
		return func(pace.End) {}, a.ctx.Err()
	}
	return a.Pace.Enter(a.ctx, operation)
}

// ready returns the images that a call may remove now: the plan is still fresh, and the
// images were described just now. The log names the images before that description,
// because writing the log can take long. If no image remains, or in a panic, ready
// calls leave.
func (a *Applier) ready(batch []*plan.Image, leave func(pace.End)) (open []*plan.Image) {
	defer func() {
		if len(open) == 0 {
			leave(pace.Unknown)
		}
	}()
	a.recheck(batch) // no intent for an image that has changed
	if batch = openOf(batch); len(batch) == 0 || a.ctx.Err() != nil || !a.announce(batch) {
		return nil
	}
	if batch[0].Action == evaluator.Untag {
		a.forget(plan.Digests(batch)) // the tag that is to remain may have been removed
	}
	a.recheckWithClock(batch)
	if a.ctx.Err() != nil || !a.fresh() {
		return nil
	}
	return openOf(batch)
}

// maxClockChecks is how many looks in a row may find the clock wrong. A look that was
// under way while the machine was suspended finds the clock wrong although it is right.
const maxClockChecks = 3

// recheckWithClock looks at the images until a look agrees with the clock, at most
// maxClockLooks times.
func (a *Applier) recheckWithClock(batch []*plan.Image) {
	for n := 1; ; n++ {
		a.recheck(batch)
		err := a.CheckClock()
		if err == nil || a.ctx.Err() != nil {
			return
		}
		if n == maxClockChecks {
			a.failAll(openOf(batch), err.Error())
			return
		}
		a.forget(plan.Digests(batch))
	}
}

// announce writes the images to the log before a removing call, and reports whether the
// log has them. If it does not, nothing is removed.
func (a *Applier) announce(batch []*plan.Image) bool {
	a.logIntent(batch)
	if err := a.Commit(); err != nil {
		a.failAll(batch, err.Error())
		return false
	}
	return true
}

// toTheEnd returns a context for a call that is not to be given up half-way when the
// run is stopped. Of what is left until the deadline, if there is one, it takes two
// thirds at most: it is also to be asked what became of a call that hangs, and to be
// said.
func (a *Applier) toTheEnd() (context.Context, context.CancelFunc) {
	timeout := callTimeout
	if deadline, limited := a.ctx.Deadline(); limited {
		timeout = min(timeout, deadline.Sub(clock.Now())*2/3)
	}
	return context.WithTimeout(context.WithoutCancel(a.ctx), timeout)
}
