package attach

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// Apply carries out the changes of the plan that the runner's planner made, and
// notes what became of each. A repository whose attached policy is not the
// planned one any more is left alone; one that fails does not stop the others.
// When the runner's Stop is closed, no further change is begun.
func Apply(ctx context.Context, runner *cleaner.Runner, plan *Plan, writer Writer) {
	each(runner.Workers, plan.Repositories, func(r *Repository) {
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

const stopped = "the run was stopped before"

// apply looks once more, and then changes the repository.
func (r *Repository) apply(ctx context.Context, registry cleaner.Registry, writer Writer) (Outcome, string) {
	now, err := attached(ctx, registry, r.Name)
	seen := context.WithoutCancel(ctx) // a change under way is seen to its end
	switch {
	case err != nil && ctx.Err() != nil:
		return NotAttempted, stopped
	case err != nil:
		return failed(err)
	case !now.Same(r.Before) && now.Same(r.After):
		return r.done(), "somebody else did it meanwhile"
	case !now.Same(r.Before):
		return Changed, "another policy is attached than before; run again to see the difference"
	case r.Change == Detach:
		err = writer.Detach(seen, r.Name)
	default:
		err = writer.Attach(seen, r.Name, r.After.Text)
	}
	if err != nil && !errors.Is(err, cleaner.ErrNoPolicy) {
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
	if errors.Is(err, cleaner.ErrRepositoryNotFound) {
		return Gone, "deleted meanwhile"
	}
	return Failed, err.Error()
}
