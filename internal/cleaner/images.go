package cleaner

import (
	"context"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// Names are names of images in one repository, as for Explain.
type Names struct {
	Repository string
	Images     []string
}

// PlanImages plans the repositories, reports on the named images that the plans act on, and
// explains each name. Verdicts, protection and limits are those of the whole repositories. It
// returns an error like Explain.
func (r *Runner) PlanImages(ctx context.Context, all []Names) (result report.Report, explained []plan.Explanation, err error) {
	repositories, names := make([]plan.Repository, len(all)), map[string]bool{}
	for i, of := range all {
		if repositories[i], err = r.find(ctx, of.Repository); err != nil {
			return result, nil, err
		}
		names[of.Repository] = true
	}
	account := repositories[0].RegistryID
	planner := r.PlannerOf(account)
	planner.Scanner.SetRepositories(names, usage.Named)
	result = r.newReport(account)
	r.Progress.Begin(len(all))
	grants, keptByOwnPulls := r.newGrants(), 0
	for i, of := range all {
		p, explanations, err := planner.Explain(ctx, &r.Config, repositories[i], of.Images)
		if err != nil {
			return result, nil, err
		}
		p.ApplyLimits()
		grants.grantRemovals(&p)
		named := map[string]bool{}
		for _, e := range explanations {
			e.Skip, named[e.Image.Digest] = p.Skip, true
			explained = append(explained, e)
		}
		p.Images = slices.DeleteFunc(slices.Clone(p.Images), func(im plan.Image) bool { return !named[im.Digest] })
		result.Add(r.reportOn(ctx, &p, true))
		keptByOwnPulls += p.KeptByOwnPulls
		r.Progress.Handled()
	}
	r.finish(ctx, &result, registrystate.Of(ctx, r.RegistryState), keptByOwnPulls)
	return result, explained, nil
}
