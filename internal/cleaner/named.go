package cleaner

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// RunNamed is Run for images of one repository that a person named, each by digest or
// by tag. It evaluates no policy; protection, limits and re-check are the same. The
// error says that the repository could not be read or that no image has a name, or it
// is that of Begin or of Approve. After an error nothing was done.
func (r *Runner) RunNamed(ctx context.Context, repository string, names []string) (report Report, err error) {
	defer r.guard(ctx, repository, func(fault string) { err = errors.New(fault) })
	if !r.Config.Repositories.Select(repository) {
		return report, fmt.Errorf("repository %s is excluded by the configuration", repository)
	}
	found, err := find(ctx, r.Registry, repository)
	if err := r.Begin(err); err != nil {
		return report, err
	}
	report = r.newReport()
	report.Account = found.RegistryID
	r.prepare(found.RegistryID)
	r.scanner.know(map[string]bool{repository: true}, false)
	entry, err := EntryFor(ctx, r.Registry, &r.Config, found)
	if err != nil {
		return report, err
	}
	if entry == nil {
		entry = &config.Entry{Settings: r.Config.Settings}
	}
	plan, err := r.planNamed(ctx, repository, entry, names, nil)
	if err != nil {
		return report, err
	}
	if r.Saved != nil {
		r.keepTo(ctx, &plan, r.Saved.repository(repository))
	}
	plan.limit()
	newBudget(r.Config).grant(&plan)
	if r.Approve != nil {
		if err := r.Approve(&plan); err != nil {
			return report, err
		}
	}
	r.applyGuarded(ctx, &plan, func(before *RepositoryPlan) RepositoryPlan {
		again, err := r.planNamed(ctx, repository, entry, names, before)
		switch {
		case errors.Is(err, ErrRepositoryNotFound):
			again.Skip = &Skip{SkipGone, repositoryGone}
		case err != nil:
			again.Skip = &Skip{SkipFailed, err.Error()}
		}
		return again
	})
	report.add(r.reportOn(ctx, &plan, true))
	endScan(&report, r.scanner)
	r.endOwnPulls(ctx, &report)
	return report, nil
}

// planNamed makes the plan of RunNamed. Before is the plan that it replaces, or nil.
func (r *Runner) planNamed(ctx context.Context, repository string, entry *config.Entry, names []string, before *RepositoryPlan) (RepositoryPlan, error) {
	plan, err := r.plannerAfter(before, repository).PlanNamed(ctx, repository, entry, names)
	plan.made = momentOf(r.Clock)
	return plan, err
}
