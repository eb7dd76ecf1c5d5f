package cleaner

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// maxStalePlans is how many plans in a row may become too old before any removing call:
// then planning takes longer than a scan may be old.
const maxStalePlans = 10

// remove applies the plan until it is done or the run is stopped. When the plan, or the
// in-use scan on which it relies, is too old, it plans again and removes only images
// that are in both plans.
func (r *Runner) remove(ctx context.Context, plan *plan.Plan, again replan) {
	stopping, cancel := r.untilStopped(ctx)
	defer cancel()
	a := apply.NewApplier(stopping, plan, apply.Options{
		Remover: r.Remover, Log: r.logger(), Pace: r.Pace, Clock: r.Clock, CheckClock: r.CheckClock, Commit: r.Commit,
	})
	for stale, calls := 0, 0; !a.Apply(); { //nolint:contextcheck // a call under way outlives the context
		if stale++; a.Calls() > calls {
			stale, calls = 0, a.Calls()
		}
		if stale > maxStalePlans {
			a.Fail("after each new plan the in-use scan was too old; scan fewer sources, or name lists in protect.references")
			break
		}
		if !r.planAgain(ctx, plan, again) {
			break
		}
		a.PlanChanged()
	}
	a.End()
}

// keptBefore returns the protected images of the plan that a later plan does not
// contain. They are kept, since only images that both plans remove are removed.
func keptBefore(p, later *plan.Plan) []plan.Image {
	held := map[string]bool{}
	for i := range later.Images {
		held[later.Images[i].Digest] = true
	}
	return slices.DeleteFunc(slices.Clone(p.Images), func(im plan.Image) bool { return !im.Protected() || held[im.Digest] })
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

// abandon takes over why no new plan could be made. If nothing was tried in the
// repository yet, the whole repository is skipped; otherwise each image that is still
// open gets an outcome.
func abandon(p, fresh *plan.Plan) {
	untouched := len(p.Attempts) == 0 && !slices.ContainsFunc(p.Images, func(im plan.Image) bool { return im.Outcome != "" })
	code := fresh.Skip.Code
	for _, f := range fresh.Findings {
		if !slices.Contains(p.Findings, f) {
			p.Findings = append(p.Findings, f)
		}
	}
	if untouched && code != plan.SkipGone {
		p.Skip = fresh.Skip
		return
	}
	outcome, message := plan.Changed, "planned again: "+fresh.Skip.Message
	switch {
	case code == plan.SkipGone:
		outcome, message = plan.Gone, plan.RepositoryGone
	case code == plan.SkipDeadline:
		outcome = plan.NotAttempted
	case code.IsFailure():
		outcome = plan.Failed
	}
	for _, im := range p.Open() {
		im.Settle(outcome, message)
	}
}

// planAgain makes the plan once more and takes over from it what is still open;
// that is also what was blocked and is to be tried again. It reports whether the
// run goes on; when it was stopped the plan stays as it is.
func (r *Runner) planAgain(ctx context.Context, p *plan.Plan, again replan) bool {
	if r.over(ctx) {
		return false
	}
	var settled []plan.Image
	known := map[string]bool{}
	open := *p
	open.Images = nil
	for _, im := range p.Images {
		if im.Outcome == plan.Blocked {
			im.Settle("", "")
		}
		if im.Outcome == "" {
			open.Images = append(open.Images, im)
		} else {
			settled = append(settled, im)
			known[im.Digest] = true
		}
	}
	before := report.Of(&open, true)
	fresh := again(p)
	if r.over(ctx) {
		return false
	}
	if fresh.Skip != nil {
		abandon(p, &fresh)
		return false
	}
	r.keepTo(ctx, &fresh, &before)
	fresh.Images = slices.DeleteFunc(fresh.Images, func(im plan.Image) bool { return known[im.Digest] })
	fresh.Images = append(append(fresh.Images, settled...), keptBefore(p, &fresh)...)
	fresh.Listed, fresh.Attempts = p.Listed, p.Attempts
	plan.SortImages(fresh.Images)
	*p = fresh
	return true
}
