package apply

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

const (
	// maxAttempts bounds the throttled attempts at removing calls in a row, and
	// maxUnanswered the attempts at one call that has no answer.
	maxAttempts   = 100
	maxUnanswered = 3
	// The pause before another attempt doubles from firstPause to maxPause.
	firstPause = 500 * time.Millisecond
	maxPause   = 20 * time.Second
	doublings  = 6
	// afterDescribe is the end of each pause, after the images were described: that
	// was a call too, and where all calls share one limit the next would be
	// refused for it.
	afterDescribe = firstPause / 2
	// callTimeout bounds a removing call, and the question what became of it.
	// Both are seen to their end even if the run is stopped meanwhile, but not
	// beyond its deadline.
	callTimeout = 10 * time.Second
)

func (a *Applier) delete(batch []*plan.Image) {
	_ = a.attempt("BatchDeleteImage", batch, a.deleteOnce)
} // each image has its outcome

// archive moves images to the archive class, one call each. Those that wait for
// long are re-checked meanwhile.
func (a *Applier) archive(images []*plan.Image) {
	for n, im := range images {
		a.recheck(images[n:])
		if im.Outcome != "" {
			continue
		}
		if err := a.attempt("UpdateImageStorageClass", []*plan.Image{im}, a.archiveOnce); err != nil {
			// the call fails, whichever image it is about
			a.failAll(openOf(images), "not tried after: "+err.Error())
		}
	}
}

// attempt makes a removing call for images, re-checked unless that was done just
// now, and makes it again after throttling and when no answer came. The client
// must not do so by itself: between two attempts the images are described again.
// It returns the error that made it give up, if one did.
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
// Throttled attempts count across calls and across plans until one is not throttled.
func (a *Applier) worthAnother(n int, err error) bool {
	if !errors.Is(err, ErrThrottled) {
		a.throttled = 0
		return errors.Is(err, ErrUnanswered) && n < maxUnanswered
	}
	a.throttled++
	return a.throttled < maxAttempts
}

func cause(err error) string {
	if err == nil {
		return "neither confirmed nor refused by ECR"
	}
	return err.Error()
}

// pauseBefore returns how long to wait before attempt n, from 2 on: longer than
// afterLook.
func pauseBefore(n int) time.Duration {
	d := min(firstPause<<min(n-2, doublings), maxPause)
	return d*3/4 + rand.N(d/4)
}

// wait reports whether the run still goes on after that time.
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
// those that are unchanged: an answer can be lost after ECR has carried out the call.
// After throttling ECR has done nothing, and resolve is one more re-check. After a
// refusal of the whole call ECR has done nothing either, and resolve returns the images
// without a look. If the images cannot be described now and there is another attempt,
// they are described before it.
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
	ctx, cancel := a.toTheEnd()
	defer cancel()
	describeErr := a.describe(ctx, idsOf(batch))
	for _, im := range batch {
		a.unanswered[im.Digest] = cause(err)
		switch {
		case describeErr == nil:
			a.judge(im, cause(err))
		case !again:
			a.settle(im, plan.Failed, describeErr.Error())
		}
	}
	return openOf(batch)
}

func (a *Applier) deleteOnce(ctx context.Context, batch []*plan.Image) error {
	done, err := a.Remover.Delete(ctx, a.plan.Repository, plan.Digests(batch))
	if errors.Is(err, plan.ErrRepositoryNotFound) {
		for _, im := range batch {
			a.answered(im, plan.Gone, plan.RepositoryGone)
		}
		return nil
	}
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

func (a *Applier) archiveOnce(ctx context.Context, batch []*plan.Image) error {
	im := batch[0]
	err := a.Remover.Archive(ctx, a.plan.Repository, im.Digest)
	failure, coded := errors.AsType[plan.Failure](err)
	switch {
	case err == nil:
		a.answered(im, plan.MovedToArchive, "")
	case errors.Is(err, plan.ErrRepositoryNotFound):
		a.answered(im, plan.Gone, plan.RepositoryGone)
		return nil
	case coded:
		a.answered(im, outcomeOf(failure), failure.Error())
		return nil
	}
	return err
}
