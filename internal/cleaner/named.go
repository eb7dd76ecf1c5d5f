package cleaner

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// RunNamed is Run for images of one repository that a person names, each by digest, by the
// beginning of one, or by tag. It evaluates no policy; protection, limits and the re-check are
// the same. It returns an error if a name is not that of one image, if the repository could not
// be read, or if Approve did. After an error nothing was removed. RunNamed replaces the
// beginnings in names by the digests.
func (r *Runner) RunNamed(ctx context.Context, repository string, names []string) (result report.Report, err error) {
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
	planNamed := func(before *plan.Plan) (plan.Plan, error) {
		p, err := r.plannerAfter(before, repository).PlanNamed(ctx, repository, entry, names)
		p.Made = clock.Read(r.Clock)
		return p, err
	}
	p, err := planNamed(nil)
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
		fresh, err := planNamed(before)
		switch {
		case errors.Is(err, plan.ErrRepositoryNotFound):
			fresh.Skip = &plan.Skip{Code: plan.SkipGone, Message: plan.RepositoryGone}
		case err != nil:
			fresh.Skip = &plan.Skip{Code: plan.SkipFailed, Message: err.Error()}
		}
		return fresh
	})
	result.Add(r.reportOn(ctx, &p, true))
	r.finish(&result, p.KeptByOwnPulls)
	return result, nil
}
