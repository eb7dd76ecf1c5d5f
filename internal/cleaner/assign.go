package cleaner

import (
	"context"
	"errors"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// An Assignment is the policy that a repository gets.
type Assignment struct {
	Repository string
	// Entry is the entry that decides. It is nil if no entry selects the repository, or
	// if its tags could not be read.
	Entry  *config.Entry
	Policy lifecycle.Policy // has no rules if Skip is set
	Skip   *plan.Skip       // why no policy is evaluated, or nil

	// Attached is true if a policy is attached. ECR applies it beside the configuration.
	// AttachedErr says why this is unknown, or is nil. See [Runner.ReadAttached].
	Attached    bool
	AttachedErr error
}

// Failed reports whether the policy of the repository is unknown or cannot be read.
func (a Assignment) Failed() bool { return a.Skip != nil && a.Skip.Code.IsFailure() }

// Assign returns the policy of each requested repository, also of excluded ones, in the
// order of the listing. It reads no images. Whole is false if the role may not list the
// registry, and only exactly named repositories are known. Assign returns an error if the
// registry could not be listed, or a [*selected.Error].
func (r *Runner) Assign(ctx context.Context) (assignments []Assignment, whole bool, err error) {
	var requested []plan.Repository
	selection := selected.New(r.Config.Repositories)
	for repository, err := range plan.Listed(ctx, r.Registry, selection) {
		if err != nil {
			return nil, false, r.Begin(err)
		}
		if selection.Ask(repository.Name) {
			requested = append(requested, repository)
		}
	}
	if err := selection.Err(); err != nil {
		return nil, false, err
	}
	assignments = make([]Assignment, len(requested))
	r.each(len(requested), func(i int) { assignments[i] = r.assign(ctx, requested[i]) })
	return assignments, selection.Whole(), nil
}

// ReadAttached sets Attached or AttachedErr of each assignment.
func (r *Runner) ReadAttached(ctx context.Context, assignments []Assignment) {
	r.each(len(assignments), func(i int) { assignments[i].readAttached(ctx, r.Registry) })
}

// each calls do for the numbers below n, concurrently.
func (r *Runner) each(n int, do func(int)) {
	r.Progress.Begin(n)
	slots := make(chan struct{}, r.Workers)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i)
			r.Progress.Handled()
		})
	}
	wg.Wait()
}

func (a *Assignment) readAttached(ctx context.Context, registry plan.Registry) {
	code := plan.SkipCode("")
	if a.Skip != nil {
		code = a.Skip.Code
	}
	if a.Entry != nil && a.Entry.Source == config.Attached && code != plan.SkipFailed { // Assign has read it
		a.Attached = code != plan.SkipNoPolicy && code != plan.SkipGone
		return
	}
	_, err := registry.PolicyText(ctx, a.Repository)
	a.Attached = err == nil
	if !errors.Is(err, plan.ErrNoPolicy) && !errors.Is(err, plan.ErrRepositoryNotFound) {
		a.AttachedErr = err
	}
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
		a.Skip = &plan.Skip{Code: plan.SkipGone, Message: repositoryDeleted}
	}
	return a
}
