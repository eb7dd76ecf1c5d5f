package cleaner

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// RunNamed is Run for images of one repository that a person named, each by digest or
// by tag. It evaluates no policy; protection, limits and re-check are the same. The
// error says that the repository could not be read or that no image has a name, or it
// is that of Begin or of Approve. After an error nothing was done.
func (r *Runner) RunNamed(ctx context.Context, repository string, names []string) (report report.Report, err error) {
	defer r.guard(ctx, repository, func(fault string) { err = errors.New(fault) })
	if !r.Config.Repositories.Select(repository) {
		return report, fmt.Errorf("repository %s is excluded by the configuration", repository)
	}
	found, err := plan.FindRepository(ctx, r.Registry, repository)
	if err := r.Begin(err); err != nil {
		return report, err
	}
	report = r.newReport()
	report.Account = found.RegistryID
	r.prepare(found.RegistryID)
	r.scanner.SetRepositories(map[string]bool{repository: true}, false)
	entry, err := plan.EntryFor(ctx, r.Registry, &r.Config, found)
	if err != nil {
		return report, err
	}
	if entry == nil {
		entry = &config.Entry{Settings: r.Config.Settings}
	}
	p, err := r.planNamed(ctx, repository, entry, names, nil)
	if err != nil {
		return report, err
	}
	if r.Saved != nil {
		r.keepTo(ctx, &p, r.Saved.Repository(repository))
	}
	p.ApplyLimits()
	newBudget(r.Config).grant(&p)
	if r.Approve != nil {
		if err := r.Approve(&p); err != nil {
			return report, err
		}
	}
	r.applyGuarded(ctx, &p, func(before *plan.Plan) plan.Plan {
		again, err := r.planNamed(ctx, repository, entry, names, before)
		switch {
		case errors.Is(err, plan.ErrRepositoryNotFound):
			again.Skip = &plan.Skip{Code: plan.SkipGone, Message: plan.RepositoryGone}
		case err != nil:
			again.Skip = &plan.Skip{Code: plan.SkipFailed, Message: err.Error()}
		}
		return again
	})
	report.Add(r.reportOn(ctx, &p, true))
	endScan(&report, r.scanner)
	r.endOwnPulls(ctx, &report)
	return report, nil
}

// planNamed makes the plan of RunNamed. Before is the plan that it replaces, or nil.
func (r *Runner) planNamed(ctx context.Context, repository string, entry *config.Entry, names []string, before *plan.Plan) (plan.Plan, error) {
	plan, err := r.plannerAfter(before, repository).PlanNamed(ctx, repository, entry, names)
	plan.Made = clock.Read(r.Clock)
	return plan, err
}
