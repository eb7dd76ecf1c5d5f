package cleaner

import (
	"context"
	"errors"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// An Assignment is the policy that a repository gets.
type Assignment struct {
	Repository string
	// Entry is the entry that decides; nil when none selects the repository, or
	// when that is not known.
	Entry *config.Entry
	// Policy is what would be evaluated; it has no rules when Skip is set.
	Policy lifecycle.Policy
	// Skip is why no policy is evaluated, or nil.
	Skip *plan.Skip
}

// Assign returns the policy of every repository, in the order of the listing, excluded
// repositories included. It reads no images: at most the tags of a repository and its
// attached policy, if that decides. The error says that the registry could not be
// listed, or it is a [*config.SelectionError].
func (r *Runner) Assign(ctx context.Context) ([]Assignment, error) {
	asked, err := r.Asked(ctx)
	if err != nil {
		return nil, err
	}
	assignments := make([]Assignment, len(asked))
	slots := make(chan struct{}, r.Workers)
	var wg sync.WaitGroup
	for i, repository := range asked {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			assignments[i] = r.assign(ctx, repository)
		})
	}
	wg.Wait()
	return assignments, nil
}

// Asked lists the repositories that were asked for, also those that the
// configuration excludes. The error is as that of Assign.
func (r *Runner) Asked(ctx context.Context) ([]plan.Repository, error) {
	var asked []plan.Repository
	selection := r.Config.Repositories.Selection()
	for repository, err := range r.Registry.Repositories(ctx) {
		if err != nil {
			return nil, r.Begin(err)
		}
		if selection.Ask(repository.Name) {
			asked = append(asked, repository)
		}
	}
	return asked, selection.Err()
}

func (r *Runner) assign(ctx context.Context, repository plan.Repository) Assignment {
	a := Assignment{Repository: repository.Name}
	if !r.Config.Repositories.Select(repository.Name) {
		a.Skip = &plan.Skip{Code: plan.SkipNotConfigured, Message: "the configuration excludes it"}
		return a
	}
	entry, err := plan.EntryFor(ctx, r.Registry, &r.Config, repository)
	if a.Entry = entry; err == nil {
		a.Policy, a.Skip, err = plan.PolicyFor(ctx, r.Registry, repository.Name, entry)
	}
	if err != nil {
		a.Skip = &plan.Skip{Code: plan.SkipFailed, Message: err.Error()}
	}
	if errors.Is(err, plan.ErrRepositoryNotFound) {
		a.Skip = &plan.Skip{Code: plan.SkipGone, Message: "deleted meanwhile"}
	}
	return a
}

// Failed reports whether it could not be found out which policy the repository
// gets, or whether that policy cannot be read.
func (a Assignment) Failed() bool { return a.Skip != nil && a.Skip.Code.IsFailure() }
