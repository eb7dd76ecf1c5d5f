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

// checkSaved returns a [*report.PlanError] if the saved plan is for another registry,
// configuration or time than this run.
func (r *Runner) checkSaved(account string) error {
	if r.Saved == nil {
		return nil
	}
	age := r.Now.Sub(r.Saved.Start)
	switch {
	case r.Saved.Region != r.Region:
		return refuse("was made for Region %s, and this run is for %s; plan again, or give the Region of the plan",
			r.Saved.Region, r.Region)
	case account == "" && r.Saved.Account != "":
		return refuse("was made for account %s, and this registry has no repositories; check the credentials and the Region",
			r.Saved.Account)
	case r.Saved.Account != account:
		return refuse("was made for account %s, and these credentials are for %s; plan again, or use credentials of that account",
			r.Saved.Account, account)
	case r.Saved.Configuration != r.ConfigurationHash:
		return refuse("was made with another configuration; plan again")
	case age < -time.Hour:
		return refuse("was made at %s, in the future; check the clock and plan again", r.Saved.Start.UTC().Format(time.RFC3339))
	case age > r.MaxPlanAge:
		limit := strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(r.MaxPlanAge.String())
		return refuse("was made at %s, more than %s ago; plan again", r.Saved.Start.UTC().Format(time.RFC3339), limit)
	}
	return nil
}

func refuse(format string, args ...any) error {
	return &report.PlanError{Reason: fmt.Sprintf(format, args...)}
}

// checkRequested returns a [*report.PlanError] if a requested pattern matches no
// repository of the saved plan.
func (r *Runner) checkRequested() error {
	if r.Saved == nil {
		return nil
	}
	var missing []string
	for _, pattern := range r.Config.Repositories.Requested {
		matches := func(saved report.Repository) bool { return pattern.Match(saved.Name) }
		if !slices.ContainsFunc(r.Saved.Repositories, matches) {
			missing = append(missing, pattern.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return refuse("contains no repository that matches %s; plan again with these repositories, or leave them out",
		strings.Join(missing, ", "))
}

// inSavedPlan reports whether there is no saved plan, or it removes images of the
// repository or skips it by a limit or a failure.
func (r *Runner) inSavedPlan(repository string) bool {
	if r.Saved == nil {
		return true
	}
	saved := r.Saved.Repository(repository)
	return len(saved.Removable()) > 0 || saved.Skipped == plan.SkipLimit || saved.Skipped.IsFailure()
}

// missingFrom returns the selected repositories from which the saved plan removes images
// and that are not listed, in the order of the plan.
func (r *Runner) missingFrom(listed map[string]bool) []string {
	if r.Saved == nil {
		return nil
	}
	var missing []string
	for i := range r.Saved.Repositories {
		saved := &r.Saved.Repositories[i]
		if !listed[saved.Name] && len(saved.Removable()) > 0 && r.Config.Repositories.Select(saved.Name) {
			missing = append(missing, saved.Name)
		}
	}
	return missing
}

// gone returns the plan for a repository that no longer exists, with the images that the
// saved plan, if there is one, removes.
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

// keepTo makes a fresh plan remove only unchanged images that the saved plan removes in the
// same way. The other images of the saved plan get an outcome. Protected images of the
// fresh plan stay in it.
func (r *Runner) keepTo(ctx context.Context, p *plan.Plan, saved *report.Repository) {
	if saved.Skipped != "" {
		p.Images, p.Skip = nil, &plan.Skip{Code: saved.Skipped, Message: "skipped in the saved plan: " + saved.Message}
		return
	}
	fresh := make(map[string]plan.Image, len(p.Images))
	for _, im := range p.Images {
		fresh[im.Digest] = im
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
		case im.Protected(): // even if it has changed
		case difference != "":
			im.Settle(plan.Changed, difference+" changed since the plan")
		case evaluator.At(s.ChildrenPulledAt) != im.ChildrenPulledAt():
			im.Settle(plan.Changed, "lastRecordedPullTime of its children changed since the plan")
		}
		p.Images[i] = im
	}
	r.settleDropped(ctx, p.Repository, dropped)
	for _, im := range fresh {
		if im.Protected() {
			p.Images = append(p.Images, im)
		}
	}
	plan.SortImages(p.Images)
}

// settleDropped settles images that a fresh plan keeps: as Changed if they exist, Gone if
// not, Failed if ECR does not answer.
func (r *Runner) settleDropped(ctx context.Context, repository string, images []*plan.Image) {
	for batch := range slices.Chunk(images, plan.MaxBatch) {
		existing, err := apply.Describe(ctx, r.Remover, repository, plan.Digests(batch))
		for _, im := range batch {
			_, exists := existing[im.Digest]
			switch {
			case err != nil:
				im.Settle(plan.Failed, "a new plan does not remove it, and its state is unknown: "+err.Error())
			case exists:
				im.Settle(plan.Changed, "a new plan keeps it")
			default:
				im.Settle(plan.Gone, "not there any more")
			}
		}
	}
}
