package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

const (
	// callTimeout bounds a removing call, and then describing its images.
	callTimeout = 10 * time.Second
	// maxClockChecks is the number of re-checks in a row that may find the clock
	// wrong. If the machine was suspended during a call, a right clock looks wrong.
	maxClockChecks = 3
)

func (a *Applier) enter(operation string) (leave func(pace.End), err error) {
	if a.options.Pace == nil {
		return func(pace.End) {}, a.ctx.Err()
	}
	return a.options.Pace.Enter(a.ctx, operation)
}

// ready returns the images that a call may remove now. It logs them before it re-checks
// them, because writing the log can take long. If no image remains, or after a panic, it
// calls leave.
func (a *Applier) ready(batch []*plan.Image, leave func(pace.End)) (open []*plan.Image) {
	defer func() {
		if len(open) == 0 {
			leave(pace.Unknown)
		}
	}()
	a.recheck(batch) // no intent for an image that has changed
	if batch = openOf(batch); len(batch) == 0 || a.ctx.Err() != nil {
		return nil
	}
	a.logIntent(batch)
	if err := a.options.Commit(); err != nil {
		a.failAll(batch, err.Error())
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

// recheckWithClock re-checks the images until the clock is right. After maxClockChecks
// times it settles them as Failed.
func (a *Applier) recheckWithClock(batch []*plan.Image) {
	var err error
	for range maxClockChecks {
		a.recheck(batch)
		if err = a.options.CheckClock(); err == nil || a.ctx.Err() != nil {
			return
		}
		a.forget(plan.Digests(batch))
	}
	a.failAll(openOf(batch), err.Error())
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
// lasts for at most two thirds of the time until the deadline. The rest is for describing
// the images again.
func (a *Applier) callContext() (context.Context, context.CancelFunc) {
	timeout := callTimeout
	if deadline, limited := a.ctx.Deadline(); limited {
		timeout = min(timeout, deadline.Sub(clock.Now())*2/3)
	}
	return context.WithTimeout(context.WithoutCancel(a.ctx), timeout)
}

func (a *Applier) deleteOnce(ctx context.Context, batch []*plan.Image) error {
	done, err := a.options.Remover.Delete(ctx, a.plan.Repository, plan.Digests(batch))
	for _, im := range batch {
		if slices.Contains(done.Deleted, im.Digest) {
			a.answered(im, plan.Deleted, "")
		}
		for _, f := range done.Failed {
			if f.Digest == im.Digest {
				a.answered(im, outcomeOf(f), f.Error())
			}
		}
	}
	return err
}

// archive moves images to the archive class, one call each, until a call itself fails.
func (a *Applier) archive(images []*plan.Image) {
	for n, im := range images {
		a.recheck(images[n:])
		if im.Outcome != "" {
			continue
		}
		if err := a.attempt("UpdateImageStorageClass", []*plan.Image{im}, a.archiveOnce); err != nil {
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

// fitsOneCall returns how many of the first images lose at most MaxBatch tags together, at
// least one.
func fitsOneCall(images []*plan.Image) int {
	n, tags := 1, len(images[0].Untag)
	for n < len(images) && tags+len(images[n].Untag) <= plan.MaxBatch {
		tags += len(images[n].Untag)
		n++
	}
	return n
}

func (a *Applier) untagOnce(ctx context.Context, batch []*plan.Image) error {
	var tags []string
	for _, im := range batch {
		tags = append(tags, im.Untag...)
	}
	done, err := a.options.Remover.Untag(ctx, a.plan.Repository, tags)
	for _, im := range batch {
		a.settleTags(im, done)
	}
	return err
}

// settleTags settles the image unless some of its tags are in no part of the answer. The
// outcome is Unknown if only some tags were removed, or one from another image.
func (a *Applier) settleTags(im *plan.Image, done Untagging) {
	removed, missing, refusal := 0, 0, ""
	for _, tag := range im.Untag {
		digest, gone := done.Removed[tag]
		failure, failed := done.Failed[tag]
		switch {
		case gone && digest != im.Digest:
			a.settlePartly(im, "tag "+tag+" had moved to "+digest+" and was removed there; push the tag again")
			return
		case gone:
			removed++
		case failed && failure.Code == plan.CodeImageNotFound:
			missing++
		case failed && refusal == "":
			refusal = "tag " + tag + ": " + failure.Error()
			a.answered(im, outcomeOf(failure), refusal)
		}
	}
	switch why, before := a.unanswered[im.Digest]; {
	case refusal != "" && removed > 0:
		a.settlePartly(im, fmt.Sprintf("%d of its %d tags were removed, but %s", removed, len(im.Untag), refusal))
	case refusal != "" || removed+missing < len(im.Untag):
	case removed > 0:
		a.answered(im, plan.Untagged, "")
	case before:
		a.infer(im, plan.Untagged, why+"; then its tags were not there any more")
	default:
		im.Settle(plan.Changed, "its tags were not there any more")
	}
}

// settlePartly settles an image as if the call had no answer.
func (a *Applier) settlePartly(im *plan.Image, message string) {
	a.unanswered[im.Digest] = message
	a.settle(im, plan.Failed, message)
}
