package cleaner

import (
	"context"
	"slices"
)

// remove applies the plan until it is done or the run is stopped. When what was
// known to be in use has become too old it plans again and keeps to the plan.
func (r *Runner) remove(ctx context.Context, plan *RepositoryPlan, again func() RepositoryPlan) {
	stopping, cancel := r.untilStopped(ctx)
	defer cancel()
	fresh := func() bool { return plan.Scanned.IsZero() || r.Clock().Sub(plan.Scanned) <= MaxScanAge }
	a := newApplier(stopping, r.Remover, plan, r.logger())
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

// planAgain makes the plan once more and takes over from it what is still open;
// that is also what was blocked and is to be tried again. It reports whether the
// run goes on; when it was stopped the plan stays as it is.
func (r *Runner) planAgain(ctx context.Context, plan *RepositoryPlan, again func() RepositoryPlan) bool {
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
	fresh := again()
	if r.over(ctx) {
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
