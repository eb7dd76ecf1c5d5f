package cleaner

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A replan makes a new plan after the plan before was applied in part.
type replan func(before *plan.Plan) plan.Plan

// maxStalePlans is the number of plans in a row that may become too old before their
// first removing call.
const maxStalePlans = 10

// applyGuarded applies the plan or, if the run only plans, logs it. A panic becomes an
// outcome of the open images.
func (r *Runner) applyGuarded(ctx context.Context, p *plan.Plan, again replan) {
	defer r.guard(ctx, p.Repository, func(fault string) { apply.SettleAfterFault(p, fault) })
	if r.Remover == nil {
		r.logPlan(ctx, p)
		return
	}
	r.remove(ctx, p, again)
}

// remove applies the plan until it is done or the run is stopped. When the plan or its
// in-use scan is too old, it plans again and removes only images that are in both plans.
func (r *Runner) remove(ctx context.Context, p *plan.Plan, again replan) {
	stopping, cancel := r.untilStopped(ctx)
	defer cancel()
	a := apply.NewApplier(stopping, p, apply.Options{
		Remover: r.Remover, Log: r.logger(), Pace: r.Pace, Clock: r.Clock, CheckClock: r.CheckClock, Commit: r.Commit,
	})
	for stale, calls := 0, 0; !a.Apply(); { //nolint:contextcheck // a call in progress outlives the context
		if stale++; a.Calls() > calls {
			stale, calls = 0, a.Calls()
		}
		if stale > maxStalePlans {
			a.Fail("after each new plan the in-use scan was too old; " +
				"query fewer services in protect.inUse, or use lists in protect.references")
			break
		}
		if !r.planAgain(ctx, p, again) {
			break
		}
		a.PlanChanged()
	}
	a.End()
}

// untilStopped returns a context that ends with ctx or when Stop is closed.
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

func (r *Runner) stopped() bool {
	select {
	case <-r.Stop: // a nil channel is never ready
		return true
	default:
		return false
	}
}

// planAgain replaces the plan by a new one with the outcomes so far. Only images that are
// open or blocked in the old plan may be removed. It returns false if the run was stopped
// or the new plan has a Skip.
func (r *Runner) planAgain(ctx context.Context, p *plan.Plan, again replan) bool {
	over := func() bool { return ctx.Err() != nil || r.stopped() }
	if over() {
		return false
	}
	settled, open := map[string]bool{}, *p
	open.Images = nil
	for _, im := range p.Images {
		if im.Outcome == plan.Blocked {
			im.Settle("", "")
		}
		if im.Outcome == "" {
			open.Images = append(open.Images, im)
		} else {
			settled[im.Digest] = true
		}
	}
	before := report.Of(&open, true)
	fresh := again(p)
	if over() {
		return false
	}
	if fresh.Skip != nil {
		abandon(p, &fresh)
		return false
	}
	unread := unreadOf(fresh.Images)
	r.keepTo(ctx, &fresh, &before)
	fresh.Images = slices.DeleteFunc(fresh.Images, func(im plan.Image) bool { return settled[im.Digest] })
	planned := map[string]bool{}
	for i := range fresh.Images {
		planned[fresh.Images[i].Digest] = true
	}
	for _, im := range p.Images { // an image that only the old plan protects is kept
		if settled[im.Digest] || im.Protected() && !planned[im.Digest] {
			if now, is := unread[im.Digest]; is { // the new plan does not know its children
				im.Unread, im.Above = true, now.Above
			}
			fresh.Images = append(fresh.Images, im)
		}
	}
	fresh.Listed, fresh.Attempts = p.Listed, p.Attempts
	plan.SortImages(fresh.Images)
	*p = fresh
	return true
}

// unreadOf returns the indexes that were not read, by digest.
func unreadOf(images []plan.Image) map[string]plan.Image {
	unread := map[string]plan.Image{}
	for _, im := range images {
		if im.Unread {
			unread[im.Digest] = im
		}
	}
	return unread
}

// abandon ends the plan for the Skip of the new plan. If no image was tried yet, the plan
// gets the Skip. Otherwise each open image gets an outcome.
func abandon(p, fresh *plan.Plan) {
	for _, f := range fresh.Findings {
		if !slices.Contains(p.Findings, f) {
			p.Findings = append(p.Findings, f)
		}
	}
	code := fresh.Skip.Code
	tried := len(p.Attempts) > 0 || slices.ContainsFunc(p.Images, func(im plan.Image) bool { return im.Outcome != "" })
	if !tried && code != plan.SkipGone {
		p.Skip = fresh.Skip
		return
	}
	outcome, message := plan.Changed, "planning again: "+fresh.Skip.Message
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
