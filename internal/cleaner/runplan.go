package cleaner

import (
	"context"
	"errors"
)

// plan makes the plan of one repository; any failure becomes a skip. If there is a
// tenant, its images are those of the listing. Before is the plan that this one
// replaces, nil for the first.
func (r *Runner) plan(ctx context.Context, repository Repository, reserve func(int), before *RepositoryPlan) RepositoryPlan {
	name := repository.Name
	if r.stopped() {
		return RepositoryPlan{Repository: name, Skip: skipStopped(ctx, "not begun", " before it")}
	}
	plan := RepositoryPlan{Repository: name}
	entry, err := EntryFor(ctx, r.Registry, &r.Config, repository)
	if err == nil {
		planner := r.plannerAfter(before, name)
		planner.Reserve = reserve
		plan, err = planner.Plan(ctx, name, entry)
		plan.made = momentOf(r.Clock) // not when it was begun: a plan that takes longer than its maximum age would always be too old
	}
	switch {
	case errors.Is(err, ErrRepositoryNotFound):
		plan = r.gone(name, "deleted while the run went on")
	case ctx.Err() != nil && (err != nil || plan.Skip != nil && plan.Skip.Code == SkipScanFailed), errors.Is(err, context.DeadlineExceeded):
		late := ""
		if err != nil {
			late = ": " + err.Error()
		}
		plan.Skip = skipStopped(ctx, "not read to its end", late)
	case err != nil:
		plan.Skip = &Skip{SkipFailed, err.Error()}
	case r.Saved != nil:
		r.keepTo(ctx, &plan, r.Saved.repository(name))
	}
	return plan
}

// planner returns the planner of the run.
func (r *Runner) planner() Planner {
	return Planner{Registry: r.Registry, Now: r.Now, ownPulls: r.ownPulls, scanner: r.scanner}
}

// plannerAfter returns the planner for a repository that this run or the saved plan has
// planned before. Before is nil for a first plan of this run.
func (r *Runner) plannerAfter(before *RepositoryPlan, repository string) Planner {
	switch p := r.planner(); {
	case before != nil:
		return p.after(before)
	case r.Saved != nil:
		return p.afterReads(r.Saved.repository(repository).reads())
	default:
		return p
	}
}

// PlannerOf returns the planner of a run on the registry of that account, which has
// begun. Of the account's own in-use sources it counts only references to that
// registry.
func (r *Runner) PlannerOf(account string) Planner {
	r.prepare(account)
	return r.planner()
}

// A replan makes a new plan after a run has carried out a part of the plan before.
type replan func(before *RepositoryPlan) RepositoryPlan

// skipStopped returns why a repository was left when its turn came, or that far
// on; late is said of a deadline.
func skipStopped(ctx context.Context, left, late string) *Skip {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Skip{SkipInterrupted, left + ": " + context.Cause(ctx).Error()}
	}
	return &Skip{SkipDeadline, left + ": the time ran out" + late}
}
