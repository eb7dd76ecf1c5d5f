package cleaner

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Explain explains the image with the name, a digest or a tag. The error says that no
// image has the name, that several listed images have the tag, or that the repository
// could not be read, or it is that of Begin.
func (r *Runner) Explain(ctx context.Context, repository, name string) (plan.Explanation, error) {
	found, err := plan.FindRepository(ctx, r.Registry, repository)
	if err := r.Begin(err); err != nil {
		return plan.Explanation{Repository: repository}, err
	}
	return r.PlannerOf(found.RegistryID).Explain(ctx, &r.Config, found, name)
}
