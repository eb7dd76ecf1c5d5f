package cleaner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// checkSaved refuses a saved plan that is not one for here and now.
func (r *Runner) checkSaved(account string) error {
	if r.Saved == nil {
		return nil
	}
	age := r.Now.Sub(r.Saved.Start)
	switch {
	case r.Saved.Region != r.Region:
		return &report.PlanError{Reason: fmt.Sprintf("was made for region %s, this is %s", r.Saved.Region, r.Region)}
	case account == "" && r.Saved.Account != "":
		return &report.PlanError{Reason: fmt.Sprintf("was made for account %s, here is no repository", r.Saved.Account)}
	case r.Saved.Account != account:
		return &report.PlanError{Reason: fmt.Sprintf("was made for account %s, these credentials are of %s", r.Saved.Account, account)}
	case r.Saved.Configuration != r.ConfigurationHash:
		return &report.PlanError{Reason: "was made with another configuration; plan again"}
	case age < -time.Hour:
		return &report.PlanError{Reason: fmt.Sprintf("is from %s ahead; check the clock and plan again", r.Saved.Start.Sub(r.Now).Round(time.Second))}
	case age > r.MaxPlanAge:
		return &report.PlanError{Reason: fmt.Sprintf("is %s old, the limit is %s; plan again", age.Round(time.Second), r.MaxPlanAge)}
	}
	return nil
}

// checkRequested refuses a saved plan if a requested pattern matches none of its
// repositories.
func (r *Runner) checkRequested() error {
	if r.Saved == nil {
		return nil
	}
	var missing []string
	for _, pattern := range r.Config.Repositories.Requested {
		held := func(rr report.Repository) bool { return pattern.Match(rr.Name) }
		if !slices.ContainsFunc(r.Saved.Repositories, held) {
			missing = append(missing, pattern.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &report.PlanError{Reason: fmt.Sprintf("holds no repository that matches %s; plan again with it, or leave it out", strings.Join(missing, ", "))}
}

// inSavedPlan reports whether the saved plan, if there is one, has anything to
// say about the repository.
func (r *Runner) inSavedPlan(repository string) bool {
	if r.Saved == nil {
		return true
	}
	saved := r.Saved.Repository(repository)
	return len(saved.Removable()) > 0 || saved.Skipped == plan.SkipLimit || saved.Skipped.IsFailure()
}

// missingFrom returns the selected repositories of the saved plan that are to lose
// images and that the registry no longer has, in the order of the plan.
func (r *Runner) missingFrom(listed map[string]bool) []string {
	var missing []string
	if r.Saved == nil {
		return nil
	}
	for i := range r.Saved.Repositories {
		saved := &r.Saved.Repositories[i]
		if !listed[saved.Name] && len(saved.Removable()) > 0 && r.Config.Repositories.Select(saved.Name) {
			missing = append(missing, saved.Name)
		}
	}
	return missing
}

// gone returns the plan for a repository that no longer exists, with the images that
// the saved plan, if there is one, would have removed from it.
func (r *Runner) gone(name, message string) plan.Plan {
	p := plan.Plan{Repository: name, Skip: &plan.Skip{Code: plan.SkipGone, Message: message}}
	if r.Saved == nil {
		return p
	}
	for _, saved := range r.Saved.Repository(name).Removable() {
		im := saved.Planned()
		im.Settle(plan.Gone, plan.RepositoryGone)
		p.Images = append(p.Images, im)
	}
	return p
}

// keepTo takes out of a fresh plan what the saved one does not hold, and
// notes of what only the saved one holds what has become of it. Both plans must
// want an image removed, and it must be as it was: time and pushes may have
// changed the verdict or the protection since.
func (r *Runner) keepTo(ctx context.Context, p *plan.Plan, saved *report.Repository) {
	fresh := make(map[string]plan.Image, len(p.Images))
	for _, im := range p.Images {
		fresh[im.Digest] = im
	}
	if saved.Skipped != "" {
		p.Images, p.Skip = nil, &plan.Skip{Code: saved.Skipped, Message: "as in the saved plan: " + saved.Message}
		return
	}
	images := saved.Removable()
	p.Images = make([]plan.Image, len(images))
	var dropped []*plan.Image
	for i, s := range images {
		im, planned := fresh[s.ImageDigest]
		delete(fresh, s.ImageDigest)
		if !planned || !s.Wants(&im) {
			p.Images[i] = s.Planned()
			dropped = append(dropped, &p.Images[i])
			continue
		}
		switch difference := plan.Difference(s.Planned().Image, im.Image); {
		case im.Protected(): // also an image that has changed
		case difference != "":
			im.Settle(plan.Changed, difference+" changed since the plan")
		case evaluator.At(s.ChildrenPulledAt) != im.ChildrenPulledAt():
			im.Settle(plan.Changed, "lastRecordedPullTime of its children changed since the plan")
		}
		p.Images[i] = im
	}
	r.settleDropped(ctx, p.Repository, dropped)
	for _, im := range fresh { // what is protected stays in the plan, to be seen
		if im.Protected() {
			p.Images = append(p.Images, im)
		}
	}
	plan.SortImages(p.Images)
}

// settleDropped tells the images that a plan made now would keep from those
// that are not there any more.
func (r *Runner) settleDropped(ctx context.Context, repository string, images []*plan.Image) {
	for batch := range slices.Chunk(images, plan.MaxBatch) {
		there, err := apply.Describe(ctx, r.Remover, repository, plan.Digests(batch))
		for _, im := range batch {
			_, found := there[im.Digest]
			switch {
			case err != nil:
				im.Settle(plan.Failed, "not in a plan made now; state unknown: "+err.Error())
			case found:
				im.Settle(plan.Changed, "a plan made now keeps it")
			default:
				im.Settle(plan.Gone, "not there any more")
			}
		}
	}
}
