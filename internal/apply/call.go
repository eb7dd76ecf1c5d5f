package apply

import (
	"context"
	"errors"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

const (
	// callTimeout bounds a removing call, and the call that describes its images
	// afterwards.
	callTimeout = 10 * time.Second
	// maxClockChecks is the number of re-checks in a row that may find the clock
	// wrong. A call during which the machine was suspended makes a right clock look
	// wrong once.
	maxClockChecks = 3
)

// enter waits until a removing call may begin.
func (a *Applier) enter(operation string) (leave func(pace.End), err error) {
	if a.options.Pace == nil {
		return func(pace.End) {}, a.ctx.Err()
	}
	return a.options.Pace.Enter(a.ctx, operation)
}

// ready returns the images that a call may remove now: the plan is fresh, and the images
// were just described. The log names the images before that description, because writing
// the log can take long. If no image remains, or after a panic, ready calls leave.
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

// announce writes the images to the log before a removing call, and reports whether the
// log has saved them. Otherwise it settles the images as failed.
func (a *Applier) announce(batch []*plan.Image) bool {
	a.logIntent(batch)
	err := a.options.Commit()
	if err != nil {
		a.failAll(batch, err.Error())
	}
	return err == nil
}

// recheckWithClock re-checks the images until the clock is right, at most maxClockChecks
// times. Then it settles the images as failed.
func (a *Applier) recheckWithClock(batch []*plan.Image) {
	for n := 1; ; n++ {
		a.recheck(batch)
		err := a.options.CheckClock()
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

// call makes one removing call, and calls leave however the call ends.
func (a *Applier) call(batch []*plan.Image, once func(context.Context, []*plan.Image) error, leave func(pace.End)) error {
	end := pace.Unknown // also after a panic
	defer func() { leave(end) }()
	ctx, cancel := a.callContext()
	defer cancel()
	a.calls++
	err := once(ctx, batch)
	switch {
	case errors.Is(err, ErrThrottled):
		end = pace.Throttled
	case !errors.Is(err, ErrUnanswered):
		end = pace.Carried
	}
	if errors.Is(err, plan.ErrRepositoryNotFound) {
		for _, im := range openOf(batch) {
			a.answered(im, plan.Gone, plan.RepositoryGone)
		}
		return nil
	}
	return err
}

// callContext returns a context for a call that continues after the run is stopped. It
// takes at most two thirds of the time until the deadline, if there is one. The rest is
// for finding out, after a call without an answer, whether the images were removed.
func (a *Applier) callContext() (context.Context, context.CancelFunc) {
	timeout := callTimeout
	if deadline, limited := a.ctx.Deadline(); limited {
		timeout = min(timeout, deadline.Sub(clock.Now())*2/3)
	}
	return context.WithTimeout(context.WithoutCancel(a.ctx), timeout)
}

func (a *Applier) deleteOnce(ctx context.Context, batch []*plan.Image) error {
	done, err := a.options.Remover.Delete(ctx, a.plan.Repository, plan.Digests(batch))
	byDigest := make(map[string]*plan.Image, len(batch))
	for _, im := range batch {
		byDigest[im.Digest] = im
	}
	for _, digest := range done.Deleted {
		if im, ok := byDigest[digest]; ok {
			a.answered(im, plan.Deleted, "")
		}
	}
	for _, f := range done.Failed {
		if im, ok := byDigest[f.Digest]; ok {
			a.answered(im, outcomeOf(f), f.Error())
		}
	}
	return err
}

// archive moves images to the archive class, one call each. It re-checks the images that
// wait for a long time.
func (a *Applier) archive(images []*plan.Image) {
	for n, im := range images {
		a.recheck(images[n:])
		if im.Outcome != "" {
			continue
		}
		if err := a.attempt("UpdateImageStorageClass", []*plan.Image{im}, a.archiveOnce); err != nil {
			// the call would fail for every image
			a.failAll(openOf(images), "not attempted after the call for another image failed: "+err.Error())
		}
	}
}

func (a *Applier) archiveOnce(ctx context.Context, batch []*plan.Image) error {
	err := a.options.Remover.Archive(ctx, a.plan.Repository, batch[0].Digest)
	if failure, ok := errors.AsType[plan.Failure](err); ok {
		a.answered(batch[0], outcomeOf(failure), failure.Error())
		return nil
	}
	if err == nil {
		a.answered(batch[0], plan.MovedToArchive, "")
	}
	return err
}
