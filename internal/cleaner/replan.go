package cleaner

import (
	"context"
	"slices"
	"time"
)

// remove applies the plan until it is done or the run is stopped. When it, or
// what was known to be in use, has become too old it plans again and keeps to
// the plan.
func (r *Runner) remove(ctx context.Context, plan *RepositoryPlan, again replan) {
	stopping, cancel := r.untilStopped(ctx)
	defer cancel()
	fresh := func() bool {
		young := func(t time.Time) bool { return t.IsZero() || r.Clock().Sub(t) <= MaxScanAge }
		return young(plan.Scanned) && young(plan.Made)
	}
	a := newApplier(stopping, r.Remover, plan, r.logger())
	a.pace = r.Pace
	for !a.applyWhile(fresh) && r.planAgain(ctx, plan, again) { //nolint:contextcheck // a call under way outlives the context
		a.index()
	}
	a.end()
}

// over reports whether no further call shall be begun.
func (r *Runner) over(ctx context.Context) bool { return ctx.Err() != nil || r.stopped() }

// untilStopped returns a context that is done when Stop is closed.
func (r *Runner) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if r.stopped() {
		cancel()
	}
	go func() {
		select {
		case <-r.Stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// released returns the images that are still to follow others of which all are
// gone, with the last that they went with.
func (p *RepositoryPlan) released() map[string]string {
	outcomes := map[string]Outcome{}
	for i := range p.Images {
		outcomes[p.Images[i].Digest] = p.Images[i].Outcome
	}
	released := map[string]string{}
	for i := range p.Images {
		im := &p.Images[i]
		stays := func(parent string) bool { return !im.removedFor(outcomes[parent]) }
		if im.Action == Follow && im.open() && len(im.Parents) > 0 && !slices.ContainsFunc(im.Parents, stays) {
			released[im.Digest] = im.Reason
		}
	}
	return released
}

// abandon takes over why the plan could not be made again: for the repository as a
// whole when nothing was done in it yet, else for each image that is still open.
func (p *RepositoryPlan) abandon(fresh *RepositoryPlan) {
	if !slices.ContainsFunc(p.Images, func(im PlannedImage) bool { return im.Outcome != "" }) {
		open := map[string]bool{}
		for i := range p.Images {
			open[p.Images[i].Digest] = p.Images[i].open()
		}
		fresh.Images = slices.DeleteFunc(fresh.Images, func(im PlannedImage) bool { return !open[im.Digest] })
		fresh.Listed = p.Listed
		*p = *fresh
		return
	}
	outcome, message := Changed, "planned again: "+fresh.Skip.Message
	switch code := fresh.Skip.Code; {
	case code == SkipGone:
		outcome, message = Gone, repositoryGone
	case code == SkipDeadline:
		outcome = NotAttempted
	case code.unhandled():
		outcome = Failed
	}
	for i := range p.Images {
		if im := &p.Images[i]; im.open() {
			im.settle(outcome, message)
		}
	}
}

// planAgain makes the plan once more and takes over from it what is still open;
// that is also what was blocked and is to be tried again. It reports whether the
// run goes on; when it was stopped the plan stays as it is.
func (r *Runner) planAgain(ctx context.Context, plan *RepositoryPlan, again replan) bool {
	if r.over(ctx) {
		return false
	}
	var settled []PlannedImage
	known := map[string]bool{}
	open := *plan
	open.Images = nil
	for _, im := range plan.Images {
		if im.Outcome == Blocked {
			im.settle("", "")
		}
		if im.Outcome == "" {
			open.Images = append(open.Images, im)
		} else {
			settled = append(settled, im)
			known[im.Digest] = true
		}
	}
	before := reportOn(&open, true)
	fresh := again(plan.released())
	if r.over(ctx) {
		return false
	}
	if fresh.Skip != nil {
		plan.abandon(&fresh)
		return false
	}
	r.keepTo(ctx, &fresh, &before)
	fresh.Images = slices.DeleteFunc(fresh.Images, func(im PlannedImage) bool { return known[im.Digest] })
	fresh.Images = append(fresh.Images, settled...)
	fresh.Listed = plan.Listed
	sortImages(fresh.Images)
	*plan = fresh
	return true
}
