package cleaner

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// ApplyPlan applies a plan as a run does, but never makes it again.
func (r *Runner) ApplyPlan(ctx context.Context, p *plan.Plan) {
	r.applyGuarded(ctx, p, nil)
}
