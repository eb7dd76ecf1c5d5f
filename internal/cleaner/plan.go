package cleaner

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// plan makes the plan of one repository; any failure becomes a skip. If there is a
// tenant, its images are those of the listing. Before is the plan that this one
// replaces, nil for the first.
func (r *Runner) plan(ctx context.Context, repository plan.Repository, reserve func(int), before *plan.Plan) plan.Plan {
	name := repository.Name
	if r.stopped() {
		return plan.Plan{Repository: name, Skip: skipStopped(ctx, "not begun", " before it")}
	}
	p := plan.Plan{Repository: name}
	entry, err := plan.EntryFor(ctx, r.Registry, &r.Config, repository)
	if err == nil {
		planner := r.plannerAfter(before, name)
		planner.Reserve = reserve
		p, err = planner.Plan(ctx, name, entry)
		p.Made = clock.Read(r.Clock) // not when it was begun: a plan that takes longer than its maximum age would always be too old
	}
	switch {
	case errors.Is(err, plan.ErrRepositoryNotFound):
		p = r.gone(name, "deleted while the run went on")
	case ctx.Err() != nil && (err != nil || p.Skip != nil && p.Skip.Code == plan.SkipScanFailed), errors.Is(err, context.DeadlineExceeded):
		late := ""
		if err != nil {
			late = ": " + err.Error()
		}
		p.Skip = skipStopped(ctx, "not read to its end", late)
	case err != nil:
		p.Skip = &plan.Skip{Code: plan.SkipFailed, Message: err.Error()}
	case r.Saved != nil:
		r.keepTo(ctx, &p, r.Saved.Repository(name))
	}
	return p
}

// planner returns the planner of the run.
func (r *Runner) planner() plan.Planner {
	return plan.Planner{Registry: r.Registry, Now: r.Now, OwnPulls: r.ownPulls, Scanner: r.scanner}
}

// plannerAfter returns the planner for a repository that this run or the saved plan has
// planned before. Before is nil for a first plan of this run.
func (r *Runner) plannerAfter(before *plan.Plan, repository string) plan.Planner {
	switch p := r.planner(); {
	case before != nil:
		return p.After(before)
	case r.Saved != nil:
		return p.AfterReads(r.Saved.Repository(repository).ManifestReads())
	default:
		return p
	}
}

// PlannerOf returns the planner of a run on the registry of that account, which has
// begun. Of the account's own in-use sources it counts only references to that
// registry.
func (r *Runner) PlannerOf(account string) plan.Planner {
	r.prepare(account)
	return r.planner()
}

// A replan makes a new plan after a run has carried out a part of the plan before.
type replan func(before *plan.Plan) plan.Plan

// skipStopped returns why a repository was left when its turn came, or that far
// on; late is said of a deadline.
func skipStopped(ctx context.Context, left, late string) *plan.Skip {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &plan.Skip{Code: plan.SkipInterrupted, Message: left + ": " + context.Cause(ctx).Error()}
	}
	return &plan.Skip{Code: plan.SkipDeadline, Message: left + ": the time ran out" + late}
}
