package cleaner

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
)

// order returns the places of n repositories in the order in which they begin.
func (r *Runner) order(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	if r.Shuffle {
		const secondsOfADay = 24 * 60 * 60
		day := uint64(r.Now.Unix() / secondsOfADay)
		rand.New(rand.NewPCG(day, 0)).Shuffle(n, func(i, j int) { places[i], places[j] = places[j], places[i] })
	}
	return places
}

// planGuarded is plan for a repository whose panic is not to end the others'.
func (r *Runner) planGuarded(ctx context.Context, repository Repository, tenant *tenant) (plan RepositoryPlan) {
	defer r.guard(ctx, repository.Name, func(fault string) {
		plan = RepositoryPlan{Repository: repository.Name, Skip: &Skip{SkipFailed, fault}}
	})
	return r.plan(ctx, repository, tenant, nil)
}

// applyGuarded is apply likewise. What had no outcome by then has failed: a call
// may have been under way.
func (r *Runner) applyGuarded(ctx context.Context, plan *RepositoryPlan, again replan) {
	defer r.guard(ctx, plan.Repository, func(fault string) {
		for i := range plan.Images {
			if im := &plan.Images[i]; im.open() && plan.Skip == nil {
				im.settle(Failed, fault+"; state unknown")
			}
		}
	})
	r.apply(ctx, plan, again)
}

// guard, deferred, turns a panic into a fault of the repository, and has the log
// say where it came from.
func (r *Runner) guard(ctx context.Context, repository string, fail func(fault string)) {
	if cause := recover(); cause != nil {
		fault := fmt.Sprintf("the program is faulty: %v; please report it", cause)
		r.logger().LogAttrs(ctx, slog.LevelError, "panic",
			slog.String("repository", repository), slog.String("message", fault), slog.String("stack", string(debug.Stack())))
		fail(fault)
	}
}
