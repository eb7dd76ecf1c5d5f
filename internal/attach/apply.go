package attach

import (
	"context"
	"errors"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Apply carries out a plan and sets the outcomes. It skips a repository whose attached policy
// has changed since. After the runner's Stop is closed, it begins no change.
func Apply(ctx context.Context, runner *cleaner.Runner, plan *Plan, writer Writer) {
	each(runner, plan.Repositories, func(r *Repository) {
		if !r.Change.Changes() {
			return
		}
		select {
		case <-runner.Stop: // a nil channel is never ready
			r.Outcome, r.Message = NotAttempted, stopped
		default:
			r.Outcome, r.Message = r.apply(ctx, runner.Registry, writer)
		}
	})
}

const stopped = "the run was stopped before it; run again"

func (r *Repository) apply(ctx context.Context, registry plan.Registry, writer Writer) (Outcome, string) {
	now, err := attached(ctx, registry, r.Name)
	uncancelled := context.WithoutCancel(ctx) // a stopped run waits for the answer
	switch {
	case err != nil && ctx.Err() != nil:
		return NotAttempted, stopped
	case err != nil:
		return failed(err)
	case !now.Same(r.Before) && now.Same(r.After):
		return r.done(), "somebody else made the same change meanwhile"
	case !now.Same(r.Before):
		return Changed, "the attached policy changed after the plan; run again to see the difference"
	case r.Change == Detach:
		err = writer.Detach(uncancelled, r.Name)
	default:
		err = writer.Attach(uncancelled, r.Name, r.After.Text)
	}
	if err != nil && !errors.Is(err, plan.ErrNoPolicy) {
		return failed(err)
	}
	return r.done(), ""
}

func (r *Repository) done() Outcome {
	if r.Change == Detach {
		return Detached
	}
	return Attached
}

func failed(err error) (Outcome, string) {
	if errors.Is(err, plan.ErrRepositoryNotFound) {
		return Gone, "deleted meanwhile"
	}
	return Failed, err.Error()
}

// each calls do for every repository, with at most runner.Workers calls at a time.
func each(runner *cleaner.Runner, repositories []Repository, do func(*Repository)) {
	runner.Progress.Begin(len(repositories))
	slots := make(chan struct{}, runner.Workers)
	var wg sync.WaitGroup
	for i := range repositories {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(&repositories[i])
			runner.Progress.Handled()
		})
	}
	wg.Wait()
}
