package cleaner

import "context"

// ApplyPlan applies a plan as a run does, but never makes it again.
func (r *Runner) ApplyPlan(ctx context.Context, plan *RepositoryPlan) {
	r.applyGuarded(ctx, plan, nil)
}

// AccountOf returns the report on a plan that was applied.
func AccountOf(plan *RepositoryPlan) Report {
	var r Report
	plan.account()
	r.add(reportOn(plan, true))
	return r
}
