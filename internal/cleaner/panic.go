package cleaner

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// planGuarded is plan for a repository whose panic is not to end the others'.
func (r *Runner) planGuarded(ctx context.Context, repository plan.Repository, reserve func(int)) (p plan.Plan) {
	defer r.guard(ctx, repository.Name, func(fault string) {
		p = plan.Plan{Repository: repository.Name, Skip: &plan.Skip{Code: plan.SkipFailed, Message: fault}}
	})
	return r.plan(ctx, repository, reserve, nil)
}

// applyGuarded is apply likewise.
func (r *Runner) applyGuarded(ctx context.Context, plan *plan.Plan, again replan) {
	defer r.guard(ctx, plan.Repository, func(fault string) { apply.SettleAfterFault(plan, fault) })
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
