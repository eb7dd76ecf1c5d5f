package report

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// NotReachedCause is the key in Undone for the repositories that a next run handles.
const NotReachedCause = "not reached"

// KeepPart shortens a plan that the end of a run interrupted, for the report of that run. It
// keeps the images that were removed, or may have been. The next run handles the others, and
// counts the repository. So the sums over the runs count each repository and each removal once.
//
// An image with the outcome unknown counts as unknown and as planned here, and not as
// evaluated. If it is still there, the next run counts the image again. The
// unknown outcome stays in the sum, so the registry is not handled: a person must look.
func KeepPart(p *plan.Plan) {
	p.Images = slices.DeleteFunc(p.Images, func(im plan.Image) bool { return !im.Outcome.Removed() && im.Outcome != plan.Unknown })
	p.Listed, p.Attached, p.Findings, p.KeptByOwnPulls = 0, false, nil, 0
	for i := range p.Images {
		if p.Images[i].Outcome == plan.Deleted {
			p.Listed++
		}
	}
}

// AddRound adds the totals of the next run. The reports of all runs that continue the first
// one together count each repository, image and removal once.
func (t *Totals) AddRound(o Totals) {
	t.Repositories += o.Repositories
	t.Skipped += o.Skipped
	t.AttachedPolicies += o.AttachedPolicies
	t.add(o.Counts)
}

// Progressed reports whether the run with the continuation, or nil, handled a repository,
// removed an image or moved the cursor. If it did not, the next run may not either.
func (r *Report) Progressed(before *config.Continuation) bool {
	after, all := r.Continuation, r.Totals
	moved := after != nil && before != nil && before.Round > 0 && before.Cursor != after.Cursor
	return after == nil || moved || all.Repositories+all.Deleted+all.Archived+all.TagsRemoved > 0
}
