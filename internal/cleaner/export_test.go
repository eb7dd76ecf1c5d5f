package cleaner

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// ApplyPlan applies a plan as a run does, and never makes a new one.
func (r *Runner) ApplyPlan(ctx context.Context, p *plan.Plan) {
	r.applyGuarded(ctx, p, nil)
}
