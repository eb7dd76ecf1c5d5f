package cleaner

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

const repositoryDeleted = "the repository was deleted during the run"

// planGuarded is plan without a plan before. A panic becomes a Skip.
func (r *Runner) planGuarded(ctx context.Context, repository plan.Repository, reserve func(int)) (p plan.Plan) {
	defer r.guard(ctx, repository.Name, func(fault string) {
		p = plan.Plan{Repository: repository.Name, Skip: &plan.Skip{Code: plan.SkipFailed, Message: fault}}
	})
	return r.plan(ctx, repository, reserve, nil)
}

// plan makes the plan of one repository. A failure becomes a Skip. Reserve is that of
// [plan.Planner]. Before is the plan that the new one replaces, or nil.
func (r *Runner) plan(ctx context.Context, repository plan.Repository, reserve func(int), before *plan.Plan) plan.Plan {
	name := repository.Name
	p := plan.Plan{Repository: name}
	if r.stopped() {
		p.Skip = skipStopped(ctx, "not started", nil)
		return p
	}
	entry, err := plan.EntryFor(ctx, r.Registry, &r.Config, repository)
	if err == nil {
		planner := r.plannerAfter(before, name)
		planner.Reserve = reserve
		p, err = planner.Plan(ctx, name, entry)
		p.Made = clock.Read(r.Clock) // at its end, or a plan that takes too long would always be too old
	}
	switch {
	case errors.Is(err, plan.ErrRepositoryNotFound):
		p = r.gone(name, repositoryDeleted)
	case errors.Is(err, context.DeadlineExceeded),
		ctx.Err() != nil && (err != nil || p.Skip != nil && p.Skip.Code == plan.SkipScanFailed):
		p.Skip = skipStopped(ctx, "not read completely", err)
	case err != nil:
		p.Skip = &plan.Skip{Code: plan.SkipFailed, Message: err.Error()}
	case r.Saved != nil:
		r.keepTo(ctx, &p, r.Saved.Repository(name))
	}
	return p
}

// plannerAfter returns the planner for a repository. Before is as for plan.
func (r *Runner) plannerAfter(before *plan.Plan, repository string) plan.Planner {
	switch {
	case before != nil:
		return r.planner.After(before)
	case r.Saved != nil:
		return r.planner.AfterReads(r.Saved.Repository(repository).ManifestReads())
	default:
		return r.planner
	}
}

// skipStopped returns the Skip of a repository that was in the state when ctx or Stop ended
// the run. Err is the error of its plan, or nil.
func skipStopped(ctx context.Context, state string, err error) *plan.Skip {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &plan.Skip{Code: plan.SkipInterrupted, Message: state + ": " + context.Cause(ctx).Error()}
	}
	message := state + ": the run's time ran out; run again, or allow more time"
	if err != nil {
		message = fmt.Sprintf("%s: the run's time ran out (%v); run again, or allow more time", state, err)
	}
	return &plan.Skip{Code: plan.SkipDeadline, Message: message}
}
