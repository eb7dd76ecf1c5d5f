package cleaner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// checkSaved refuses a saved plan that is not one for here and now.
func (r *Runner) checkSaved(account string) error {
	if r.Saved == nil {
		return nil
	}
	age := r.Now.Sub(r.Saved.Start)
	switch {
	case r.Saved.Region != r.Region:
		return &SavedPlanError{fmt.Sprintf("was made for region %s, this is %s", r.Saved.Region, r.Region)}
	case account == "" && r.Saved.Account != "":
		return &SavedPlanError{fmt.Sprintf("was made for account %s, here is no repository", r.Saved.Account)}
	case r.Saved.Account != account:
		return &SavedPlanError{fmt.Sprintf("was made for account %s, these credentials are of %s", r.Saved.Account, account)}
	case r.Saved.Configuration != r.ConfigurationHash:
		return &SavedPlanError{"was made with another configuration; plan again"}
	case age < -time.Hour:
		return &SavedPlanError{fmt.Sprintf("is from %s ahead; check the clock and plan again", r.Saved.Start.Sub(r.Now).Round(time.Second))}
	case age > r.MaxPlanAge:
		return &SavedPlanError{fmt.Sprintf("is %s old, the limit is %s; plan again", age.Round(time.Second), r.MaxPlanAge)}
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
		held := func(rr RepositoryReport) bool { return pattern.Match(rr.Name) }
		if !slices.ContainsFunc(r.Saved.Repositories, held) {
			missing = append(missing, pattern.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &SavedPlanError{fmt.Sprintf("holds no repository that matches %s; plan again with it, or leave it out", strings.Join(missing, ", "))}
}

// inSavedPlan reports whether the saved plan, if there is one, has anything to
// say about the repository.
func (r *Runner) inSavedPlan(repository string) bool {
	if r.Saved == nil {
		return true
	}
	saved := r.Saved.repository(repository)
	return len(saved.removable()) > 0 || saved.Skipped == SkipLimit || saved.Skipped.unhandled()
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
		if !listed[saved.Name] && len(saved.removable()) > 0 && r.Config.Repositories.Select(saved.Name) {
			missing = append(missing, saved.Name)
		}
	}
	return missing
}

// gone returns the plan for a repository that no longer exists, with the images that
// the saved plan, if there is one, would have removed from it.
func (r *Runner) gone(name, message string) RepositoryPlan {
	plan := RepositoryPlan{Repository: name, Skip: &Skip{SkipGone, message}}
	if r.Saved == nil {
		return plan
	}
	for _, saved := range r.Saved.repository(name).removable() {
		im := saved.planned()
		im.settle(Gone, repositoryGone)
		plan.Images = append(plan.Images, im)
	}
	return plan
}

// keepTo takes out of a fresh plan what the saved one does not hold, and
// notes of what only the saved one holds what has become of it. Both plans must
// want an image removed, and it must be as it was: time and pushes may have
// changed the verdict or the protection since.
func (r *Runner) keepTo(ctx context.Context, plan *RepositoryPlan, saved *RepositoryReport) {
	fresh := make(map[string]PlannedImage, len(plan.Images))
	for _, im := range plan.Images {
		fresh[im.Digest] = im
	}
	if saved.Skipped != "" {
		plan.Images, plan.Skip = nil, &Skip{saved.Skipped, "as in the saved plan: " + saved.Message}
		return
	}
	images := saved.removable()
	plan.Images = make([]PlannedImage, len(images))
	var dropped []*PlannedImage
	for i, s := range images {
		im, planned := fresh[s.ImageDigest]
		delete(fresh, s.ImageDigest)
		if !planned || !s.wants(&im) {
			plan.Images[i] = s.planned()
			dropped = append(dropped, &plan.Images[i])
			continue
		}
		switch difference := differs(s.planned().Image, im.Image); {
		case im.Protected(): // also an image that has changed
		case difference != "":
			im.settle(Changed, difference+" changed since the plan")
		case evaluator.At(s.ChildrenPulledAt) != im.childrenPulledAt():
			im.settle(Changed, "lastRecordedPullTime of its children changed since the plan")
		}
		plan.Images[i] = im
	}
	r.settleDropped(ctx, plan.Repository, dropped)
	for _, im := range fresh { // what is protected stays in the plan, to be seen
		if im.Protected() {
			plan.Images = append(plan.Images, im)
		}
	}
	sortImages(plan.Images)
}

// settleDropped tells the images that a plan made now would keep from those
// that are not there any more.
func (r *Runner) settleDropped(ctx context.Context, repository string, images []*PlannedImage) {
	for batch := range slices.Chunk(images, MaxBatch) {
		there, err := describe(ctx, r.Remover, repository, digests(batch))
		for _, im := range batch {
			_, found := there[im.Digest]
			switch {
			case err != nil:
				im.settle(Failed, "not in a plan made now; state unknown: "+err.Error())
			case found:
				im.settle(Changed, "a plan made now keeps it")
			default:
				im.settle(Gone, "not there any more")
			}
		}
	}
}
