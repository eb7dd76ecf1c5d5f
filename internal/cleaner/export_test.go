package cleaner

import (
	"context"
	"time"
)

// ApplyPlan applies a plan as a run does, but never makes it again.
func (r *Runner) ApplyPlan(ctx context.Context, plan *RepositoryPlan) {
	r.applyGuarded(ctx, plan, nil)
}

// Age returns the age of a moment after which the wall clock and the steady clock have
// moved on by these durations.
func Age(wall, steady time.Duration) time.Duration {
	var then time.Time
	then = then.AddDate(1, 0, 0)
	return moment{then, then}.age(moment{then.Add(wall), then.Add(steady)})
}

// With returns the planner with these OwnPulls.
func (p Planner) With(own OwnPulls) Planner {
	p.ownPulls = newOwnPulls(func(context.Context) OwnPulls { return own })
	return p
}

// AccountOf returns the report on a plan that was applied.
func AccountOf(plan *RepositoryPlan) Report {
	var r Report
	account(plan)
	r.add(reportOn(plan, true))
	return r
}

// AskedOnce returns a function that calls ask once, as a run does.
func AskedOnce(ask func(context.Context) OwnPulls) func(context.Context) OwnPulls {
	return newOwnPulls(ask).get
}
