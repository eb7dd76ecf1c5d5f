package cleaner

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// RunNamed is RunChosen for images that a person names, each by digest, by the beginning of
// one, or by tag. It returns an error if a name is not that of one image. It replaces the
// beginnings in names by the digests.
func (r *Runner) RunNamed(ctx context.Context, repository string, names []string) (report.Report, error) {
	return r.RunChosen(ctx, repository, selection.Named(names, false))
}

// RunChosen is Run for images of one repository that a person chooses. It evaluates no policy;
// protection, limits and the re-check are the same. It returns an error if the choice or Approve
// does, or if the repository could not be read. After an error nothing was removed.
func (r *Runner) RunChosen(ctx context.Context, repository string, choice selection.Choice) (result report.Report, err error) {
	defer r.guard(ctx, repository, func(fault string) { err = errors.New(fault) })
	if !r.Config.Repositories.Select(repository) {
		return result, fmt.Errorf("the configuration excludes repository %s; "+
			"change its repositories.include and repositories.exclude to delete images there", repository)
	}
	found, err := r.find(ctx, repository)
	if err != nil {
		return result, err
	}
	result = r.newReport(found.RegistryID)
	r.PlannerOf(found.RegistryID).Scanner.SetRepositories(map[string]bool{repository: true}, usage.Named)
	entry, err := plan.EntryFor(ctx, r.Registry, &r.Config, found)
	if err != nil {
		return result, err
	}
	if entry == nil {
		entry = &config.Entry{Settings: r.Config.Settings}
	}
	planChosen := func(before *plan.Plan) (plan.Plan, error) {
		p, err := r.plannerAfter(before, repository).PlanChosen(ctx, repository, entry, choice)
		p.Made = clock.Read(r.Clock)
		return p, err
	}
	p, err := planChosen(nil)
	if err != nil {
		return result, err
	}
	if r.Saved != nil {
		r.keepTo(ctx, &p, r.Saved.Repository(repository))
	}
	p.ApplyLimits()
	r.newGrants().grantRemovals(&p)
	if r.Approve != nil {
		if err := r.Approve(&p); err != nil {
			return result, err
		}
	}
	r.applyGuarded(ctx, &p, func(before *plan.Plan) plan.Plan {
		fresh, err := planChosen(before)
		switch {
		case errors.Is(err, plan.ErrRepositoryNotFound):
			fresh.Skip = &plan.Skip{Code: plan.SkipGone, Message: plan.RepositoryGone}
		case err != nil:
			fresh.Skip = &plan.Skip{Code: plan.SkipFailed, Message: err.Error()}
		}
		return fresh
	})
	result.Add(r.reportOn(ctx, &p, true))
	r.finish(ctx, &result, registrystate.Of(ctx, r.RegistryState), p.KeptByOwnPulls)
	return result, nil
}
